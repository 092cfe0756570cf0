//! The way from one process to a store that listens, which can be brought to a standstill.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::Result;

/// A TCP proxy; ends with the world.
pub(crate) struct Link {
    moving: Arc<watch::Sender<bool>>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Link {
    /// One that leads to `target`.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub(crate) async fn to(target: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let moving = Arc::new(watch::Sender::new(true));
        let gate = Arc::clone(&moving);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(&target).await else { continue };
                let (near_read, near_write) = near.into_split();
                let (far_read, far_write) = far.into_split();
                tokio::spawn(copy(near_read, far_write, gate.subscribe()));
                tokio::spawn(copy(far_read, near_write, gate.subscribe()));
            }
        });
        Ok(Self { moving, address })
    }

    /// Nothing moves any more; connections stay.
    pub(crate) fn halt(&self) {
        self.moving.send_replace(false);
    }

    /// It moves again.
    pub(crate) fn go_on(&self) {
        self.moving.send_replace(true);
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut moving: watch::Receiver<bool>) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        // The end of the gate is the end of the world.
        if moving.wait_for(|moving| *moving).await.is_err() {
            return;
        }
        if to.write_all(bytes.get(..read).unwrap_or_default()).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
