//! Verifies a log: which lines are proven, what is missing, changed or there twice, and which writers never ended.
//!
//! It reads once, from front to back, lines of many writers in any mixture. Each writer's lines are wanted in the order of their
//! numbers, but an export may shuffle them: up to 1024 lines of a writer wait for those before them. Memory grows with
//! the number of writers, not of lines.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, Read as _};

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::chain::{HEAD, Kind, Position, normal, read_mac};
use super::key::{AuditKey, Mac};
use crate::domain::Timestamp;

/// How many lines of one writer wait for one before them, until that is believed to be missing.
const WINDOW: usize = 1024;
/// How long a line may be, in bytes; a longer one is none of ours.
const LONGEST: u64 = 1 << 20;
/// How many problems of a writer are told; all are counted.
const TOLD: usize = 20;

/// What a log shows.
#[derive(Debug, Default)]
pub struct Report {
    /// How many lines it has, empty ones not counted.
    pub lines: u64,
    /// How many of them are no audit lines.
    pub others: u64,
    /// Its writers, in the order in which they appear.
    pub writers: Vec<Writer>,
}

/// What a log shows of one writer.
#[derive(Debug)]
pub struct Writer {
    /// Its id.
    pub id: Uuid,
    /// Which function it belongs to, as its first line says.
    pub service: String,
    /// How many of its records are proven: whole, and in their place.
    pub proven: u64,
    /// When the first record in the log was written.
    pub first: Timestamp,
    /// When the last one was.
    pub last: Timestamp,
    /// Whether its end is there. If not, it still runs, was killed, or the end of the log was cut off.
    pub is_closed: bool,
    /// How many lines stand behind later ones. Their numbers put them back, so nothing is wrong.
    pub late: u64,
    /// How many problems there are.
    pub wrong: u64,
    /// The first of them.
    pub problems: Vec<Problem>,
}

/// What is wrong with a writer's lines; `line` counts from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The MAC does not fit: it was changed, or did not come from the writer.
    #[error("line {line}: record {seq} was changed, or is not from this writer")]
    Unproven {
        /// Where.
        line: u64,
        /// Its number.
        seq: u64,
    },
    /// There is no proven line with these numbers.
    #[error("records {from} to {to} are missing")]
    Missing {
        /// The first number.
        from: u64,
        /// The last one.
        to: u64,
    },
    /// The line before it is missing, and by that what its MAC could be checked with.
    #[error("line {line}: record {seq} can't be checked without the one before it")]
    Unchecked {
        /// Where.
        line: u64,
        /// Its number.
        seq: u64,
    },
    /// There was a line with this number before.
    #[error("line {line}: record {seq} is there again")]
    Repeated {
        /// Where.
        line: u64,
        /// Its number.
        seq: u64,
    },
}

impl Report {
    /// How many records are proven. None of many: it is another key.
    #[must_use]
    pub fn proven(&self) -> u64 {
        self.writers.iter().map(|writer| writer.proven).sum()
    }

    /// How many problems there are.
    #[must_use]
    pub fn wrong(&self) -> u64 {
        self.writers.iter().map(|writer| writer.wrong).sum()
    }

    /// How many writers have no end.
    #[must_use]
    pub fn open(&self) -> usize {
        self.writers.iter().filter(|writer| !writer.is_closed).count()
    }
}

/// Verifies the lines of a log: as they were written, behind something else in their line, under `jsonPayload` (Cloud Logging),
/// or as the text of `message` (CloudWatch). Other lines are skipped and counted.
///
/// # Errors
/// When the log can't be read.
pub fn verify(mut log: impl BufRead, key: &AuditKey) -> io::Result<Report> {
    let mut report = Report::default();
    let mut chains: Vec<Chain> = Vec::new();
    let mut known: HashMap<Uuid, usize> = HashMap::new();
    let mut text = Vec::new();
    while next(&mut log, &mut text)? {
        if text.trim_ascii().is_empty() {
            continue;
        }
        report.lines += 1;
        let Some(line) = find(&text).and_then(|(audit, mac)| Line::read(audit, &mac, report.lines)) else {
            report.others += 1;
            continue;
        };
        let at = *known.entry(line.frame.writer).or_insert(chains.len());
        if at == chains.len() {
            chains.push(Chain::begin(key, &line.frame));
        }
        if let Some(chain) = chains.get_mut(at) {
            chain.take(key, line);
        }
    }
    report.writers = chains.into_iter().map(|chain| chain.end(key)).collect();
    Ok(report)
}

/// Reads the next line into `text`; what is too long stays out of memory. Says whether there is one.
fn next(log: &mut impl BufRead, text: &mut Vec<u8>) -> io::Result<bool> {
    text.clear();
    let read = log.by_ref().take(LONGEST).read_until(b'\n', text)? as u64;
    if read == LONGEST && !text.ends_with(b"\n") {
        text.truncate(1);
        log.skip_until(b'\n')?;
    }
    Ok(read > 0)
}

/// The record and its MAC, wherever a line has them.
fn find(text: &[u8]) -> Option<(Value, String)> {
    let parsed: Result<Value, _> = serde_json::from_slice(text);
    match parsed {
        Ok(Value::Object(mut line)) => {
            if let Some(Value::String(message)) = line.get("message") {
                return find(message.as_bytes());
            }
            if let Some(Value::Object(payload)) = line.remove("jsonPayload") {
                line = payload;
            }
            match (line.remove("audit"), line.remove("mac")) {
                (Some(audit), Some(Value::String(mac))) => Some((audit, mac)),
                _ => None,
            }
        }
        Ok(_) => None,
        // Behind a time stamp, or behind what another process could write only a part of.
        Err(_) => {
            let head = HEAD.as_bytes();
            let at = text.windows(head.len()).rposition(|window| window == head).filter(|at| *at > 0)?;
            find(text.get(at..)?)
        }
    }
}

/// What every record has.
#[derive(Deserialize)]
struct Frame {
    at: Timestamp,
    event: Kind,
    seq: u64,
    service: String,
    writer: Uuid,
}

struct Line {
    number: u64,
    frame: Frame,
    record: Vec<u8>,
    mac: Mac,
}

impl Line {
    fn read(audit: Value, mac: &str, number: u64) -> Option<Self> {
        let audit = normal(audit)?;
        let (record, mac) = (serde_json::to_vec(&audit).ok()?, read_mac(mac)?);
        Some(Self { number, frame: serde_json::from_value(audit).ok()?, record, mac })
    }
}

/// The chain of one writer, as far as it is verified.
struct Chain {
    found: Writer,
    next: Position,
    waiting: BTreeMap<u64, Line>,
}

impl Chain {
    fn begin(key: &AuditKey, frame: &Frame) -> Self {
        let found = Writer {
            id: frame.writer,
            service: frame.service.clone(),
            proven: 0,
            first: frame.at,
            last: frame.at,
            is_closed: false,
            late: 0,
            wrong: 0,
            problems: Vec::new(),
        };
        Self { found, next: Position::first(key, frame.writer), waiting: BTreeMap::new() }
    }

    fn take(&mut self, key: &AuditKey, line: Line) {
        let (number, seq) = (line.number, line.frame.seq);
        if seq < self.next.seq || self.waiting.contains_key(&seq) {
            self.tell(Problem::Repeated { line: number, seq });
        } else if seq > self.next.seq {
            self.waiting.insert(seq, line);
            if self.waiting.len() > WINDOW {
                self.skip(key);
            }
        } else if self.check(key, &line) {
            self.found.late += u64::from(!self.waiting.is_empty());
            self.go_on(key);
        }
    }

    /// Whether the line is the next one. If not, its place stays open: the true one may still come.
    fn check(&mut self, key: &AuditKey, line: &Line) -> bool {
        let proven = key.proves(&line.mac, &self.next.before, &line.record);
        if proven {
            self.found.proven += 1;
            self.pass(line);
        } else {
            self.tell(Problem::Unproven { line: line.number, seq: line.frame.seq });
        }
        proven
    }

    fn pass(&mut self, line: &Line) {
        self.next = Position { seq: line.frame.seq, ..self.next }.after(line.mac);
        self.found.first = self.found.first.min(line.frame.at);
        self.found.last = self.found.last.max(line.frame.at);
        self.found.is_closed |= line.frame.event == Kind::Close;
    }

    /// Takes what has waited for its turn.
    fn go_on(&mut self, key: &AuditKey) {
        while let Some(line) = self.waiting.remove(&self.next.seq) {
            if !self.check(key, &line) {
                break;
            }
        }
    }

    /// Gives up what is missing, and goes on with the first line behind it.
    fn skip(&mut self, key: &AuditKey) {
        let Some((seq, line)) = self.waiting.pop_first() else { return };
        self.tell(Problem::Missing { from: self.next.seq, to: seq.saturating_sub(1) });
        self.tell(Problem::Unchecked { line: line.number, seq });
        self.pass(&line);
        self.go_on(key);
    }

    fn end(mut self, key: &AuditKey) -> Writer {
        while !self.waiting.is_empty() {
            self.skip(key);
        }
        self.found
    }

    fn tell(&mut self, problem: Problem) {
        self.found.wrong += 1;
        if self.found.problems.len() < TOLD {
            self.found.problems.push(problem);
        }
    }
}
