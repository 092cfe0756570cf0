//! Sealing and opening a token with a data key that is in memory, against the bare cipher.

use std::hint::black_box;

use shared::app::{self, Parts};
use shared::clock::Clock as _;
use shared::config::Config;
use shared::domain::{ConnectionId, CredentialId, TokenKind};
use shared::seal::{AttemptKey, Part, Place};
use shared::secret::{SecretBytes, SecretString};

use crate::Result;
use crate::lab::{self, Lab};
use crate::report::{Goal, Report, Row, Unit};
use crate::seed::TENANT;
use crate::stats::Spread;

use super::micros;

/// As long as an access token of Google's.
const TOKEN: usize = 220;
const CALLS: u32 = 50_000;

pub(super) async fn run(lab: &Lab, report: &mut Report) -> Result<()> {
    let data = lab.folder("seal")?;
    let ctx = app::build(Config::from_vars(lab::environment(&data))?, Parts::system("seal", true))?;
    let tenant = TENANT.parse()?;
    let id: ConnectionId = "00000000-0000-4000-8000-000000000000".parse()?;
    let credential = CredentialId::owned(id, TokenKind::User);
    let place = Place::Token { tenant: &tenant, credential: &credential, part: Part::Access, version: 1 };
    let text = "t".repeat(TOKEN);
    let token = SecretString::from(text.clone());
    let sealed = ctx.keyring.seal(&place, &token).await?;
    let bare = AttemptKey::new(&SecretBytes::new(vec![7; 32]))?;
    let (mut base, mut sealing, mut opening) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..lab.args.rounds {
        let begin = lab.clock.monotonic();
        for _ in 0..CALLS {
            black_box(bare.seal(&[], text.as_bytes())?);
        }
        base.push(micros(lab.clock.monotonic() - begin) / f64::from(CALLS));
        let begin = lab.clock.monotonic();
        for _ in 0..CALLS {
            black_box(ctx.keyring.seal(&place, &token).await?);
        }
        sealing.push(micros(lab.clock.monotonic() - begin) / f64::from(CALLS));
        let begin = lab.clock.monotonic();
        for _ in 0..CALLS {
            black_box(ctx.keyring.open(&place, &sealed).await?);
        }
        opening.push(micros(lab.clock.monotonic() - begin) / f64::from(CALLS));
    }
    for (what, ours) in [("sealing a token", sealing), ("opening a token", opening)] {
        let time = Spread::of(ours.iter().copied());
        report.add(Row {
            what: what.to_owned(),
            baseline: Unit::Micros.show(Spread::of(base.iter().copied())),
            ratio: Some(Spread::of_ratios(&ours, &base)),
            goal: Goal::MicrosAtMost(5.0),
            judged: time.median,
            result: Unit::Micros.show(time),
        });
    }
    Ok(())
}
