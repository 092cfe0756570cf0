//! The little HTTP/1.1 that a proxy needs which breaks off wherever it is told to.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::OwnedReadHalf;

/// What a token request may be long.
const LONGEST: usize = 1 << 20;

/// A request.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What an asker gets.
pub(crate) enum Reply {
    /// An answer.
    Whole(Answer),
    /// Half of the body; then the connection ends.
    Half(Answer),
    /// Not a byte; the connection ends.
    Nothing,
}

impl Request {
    /// A field of a form.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(&self.body);
        pairs.find(|(each, _)| each == name).map(|(_, value)| value.into_owned())
    }
}

impl Answer {
    /// One of ours.
    pub(crate) fn new(status: u16, media_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), media_type.to_owned())];
        Self { status, headers, body: body.as_bytes().to_vec() }
    }
}

/// The next request; `None` at the end of the connection.
///
/// # Errors
/// When the connection breaks, or what comes is no request.
pub(crate) async fn read(from: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<Request>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "not a request");
    let mut lines = lines.into_iter();
    let first = lines.next().ok_or_else(odd)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = words.next().zip(words.next()).ok_or_else(odd)?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| {
            line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0_usize);
    let mut body = vec![0; length.min(LONGEST)];
    from.read_exact(&mut body).await?;
    Ok(Some(Request { method, target, headers, body }))
}

/// Hands over a reply; says whether the connection goes on.
///
/// # Errors
/// When the asker is gone.
pub(crate) async fn write(to: &mut (impl AsyncWrite + Unpin), reply: &Reply) -> io::Result<bool> {
    let (answer, length, whole) = match reply {
        Reply::Whole(answer) => (answer, answer.body.len(), true),
        Reply::Half(answer) => (answer, answer.body.len() / 2, false),
        Reply::Nothing => return Ok(false),
    };
    let mut text = format!("HTTP/1.1 {} \r\ncontent-length: {}\r\n", answer.status, answer.body.len());
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let body = answer.body.get(..length).unwrap_or_default();
    to.write_all(&[text.as_bytes(), body].concat()).await?;
    to.flush().await?;
    Ok(whole)
}
