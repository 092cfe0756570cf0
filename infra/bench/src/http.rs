//! The little HTTP/1.1 that a load generator needs: requests rendered beforehand, answers found and checked.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;

use crate::Result;

/// A request without a body.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// A request with a body.
pub(crate) fn post(path: &str, media_type: &str, body: &str) -> Vec<u8> {
    send("POST", path, media_type, body)
}

/// A request with a JSON body, by the bearer of a credential.
pub(crate) fn post_as(bearer: &str, path: &str, body: &str) -> Vec<u8> {
    let media_type = format!("application/json\r\nauthorization: Bearer {bearer}");
    send("POST", path, &media_type, body)
}

/// A request with a body, by any method.
pub(crate) fn send(method: &str, path: &str, media_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

/// What has arrived of an answer.
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    filled: usize,
    wanted: u16,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; 4096], filled: 0, wanted: 200 }
    }

    /// Where the next bytes go.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.filled == self.bytes.len() {
            self.bytes.resize(self.filled * 2, 0);
        }
        &mut self.bytes[self.filled..]
    }

    /// Takes note of `read` bytes more; says what the answer's body is once it is complete.
    ///
    /// # Errors
    /// When the connection ended, or the answer is not of the status that is wanted (200).
    pub(crate) fn add(&mut self, read: usize) -> Result<Option<&[u8]>> {
        if read == 0 {
            return Err("the server closed the connection".into());
        }
        self.filled += read;
        let Some((status, body)) = find(&self.bytes[..self.filled])? else { return Ok(None) };
        self.filled = 0;
        let body = &self.bytes[body];
        match status == self.wanted {
            true => Ok(Some(body)),
            false => Err(format!("the server answered {status}: {}", String::from_utf8_lossy(body)).into()),
        }
    }
}

/// Status and body of the one answer in `bytes`, once it is complete.
fn find(bytes: &[u8]) -> Result<Option<(u16, Range<usize>)>> {
    let Some(end) = bytes.windows(4).position(|each| each == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end])?;
    let status = head.get(9..12).and_then(|text| text.parse().ok()).ok_or("this is not HTTP/1.1")?;
    let length = head
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.trim().parse::<usize>().ok())
        // It has no body, and may not say so (RFC 9110 §8.6).
        .or((status == 204).then_some(0))
        .ok_or("the answer has no content-length")?;
    let body = end + 4..end + 4 + length;
    match bytes.len().cmp(&body.end) {
        std::cmp::Ordering::Less => Ok(None),
        std::cmp::Ordering::Equal => Ok(Some((status, body))),
        std::cmp::Ordering::Greater => Err("the server sent more than one answer".into()),
    }
}

/// A connection that waits for each answer.
pub(crate) struct Connection {
    stream: TcpStream,
    inbox: Inbox,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        Self::on(TcpStream::connect(address)?)
    }

    /// Uses a connection that is open.
    ///
    /// # Errors
    /// When it is not open any more.
    pub(crate) fn on(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, inbox: Inbox::new() })
    }

    /// Sends a request and answers the body of what comes.
    ///
    /// # Errors
    /// When the answer is none of status 200.
    pub(crate) fn call(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        self.exchange(request, 200)
    }

    /// Sends a request that is answered by nothing but that it was carried out.
    ///
    /// # Errors
    /// When the answer is none of status 204.
    pub(crate) fn order(&mut self, request: &[u8]) -> Result<()> {
        self.exchange(request, 204).map(drop)
    }

    fn exchange(&mut self, request: &[u8], wanted: u16) -> Result<Vec<u8>> {
        self.inbox.wanted = wanted;
        self.stream.write_all(request)?;
        loop {
            let read = self.stream.read(self.inbox.room())?;
            if let Some(body) = self.inbox.add(read)? {
                return Ok(body.to_vec());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    #[test]
    fn an_answer_counts_when_its_last_byte_is_there_and_not_before() {
        let mut inbox = Inbox::new();
        for (at, byte) in ANSWER.iter().enumerate() {
            inbox.room()[0] = *byte;
            let body = inbox.add(1).unwrap();
            assert_eq!(body, (at + 1 == ANSWER.len()).then_some(&b"hello"[..]));
        }
    }

    #[test]
    fn an_answer_that_is_not_200_or_too_long_is_an_error() {
        assert!(find(&[ANSWER, b"!"].concat()).is_err());
        assert!(find(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        let refused = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        let mut inbox = Inbox::new();
        inbox.room()[..refused.len()].copy_from_slice(refused);
        assert!(inbox.add(refused.len()).is_err());
        assert!(Inbox::new().add(0).is_err());
    }

    #[test]
    fn an_answer_without_a_body_counts_only_where_it_is_wanted() {
        let done = b"HTTP/1.1 204 No Content\r\n\r\n";
        let add = |wanted| {
            let mut inbox = Inbox { wanted, ..Inbox::new() };
            inbox.room()[..done.len()].copy_from_slice(done);
            inbox.add(done.len()).map(|body| body.map(<[u8]>::len))
        };
        assert_eq!(add(204).unwrap(), Some(0));
        assert!(add(200).is_err());
    }
}
