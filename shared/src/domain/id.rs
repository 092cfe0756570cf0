//! Identifiers, each a type of its own, checked when they are made.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Why a text can't be an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Nothing in it.
    #[error("must not be empty")]
    Empty,
    /// More than 256 characters.
    #[error("must be at most 256 characters")]
    TooLong,
    /// A control character, which could forge a log line or a header.
    #[error("must not contain control characters")]
    ControlCharacter,
}

fn check(text: &str) -> Result<(), IdentifierError> {
    if text.is_empty() {
        return Err(IdentifierError::Empty);
    }
    // Bytes first: a text of at most 256 bytes has at most 256 characters.
    if text.len() > 256 && text.chars().count() > 256 {
        return Err(IdentifierError::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(IdentifierError::ControlCharacter);
    }
    Ok(())
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String")]
        #[schema(value_type = String, min_length = 1, max_length = 256, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
        pub struct $name(String);

        impl $name {
            /// The text of it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentifierError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                check(&text).map(|()| Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a random identifier.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

text_id!(
    /// A caller's user.
    UserId
);
text_id!(
    /// A caller's tenant: the wall between two customers of a platform.
    TenantId
);
text_id!(
    /// A provider, by the name of its descriptor (`slack`, `gmail`).
    ProviderId
);
text_id!(
    /// One set of tokens that is refreshed as one: `{connection}.{kind}`, or `shared.{digest}`.
    CredentialId
);
uuid_id!(
    /// One user's account at one provider.
    ConnectionId
);
uuid_id!(
    /// One attempt to connect: the OAuth `state` (RFC 6749 section 4.1.1).
    AttemptId
);

impl CredentialId {
    /// The credential that belongs to one connection alone.
    #[must_use]
    pub fn owned(connection: ConnectionId, kind: super::TokenKind) -> Self {
        Self(format!("{connection}.{}", kind.as_str()))
    }

    /// The connection that it belongs to; `None`: it is shared.
    #[must_use]
    pub fn owner(&self) -> Option<ConnectionId> {
        self.0.split_once('.')?.0.parse().ok()
    }

    /// The credential that the connections of one workspace share, by a keyed digest of tenant, client and workspace.
    #[must_use]
    pub fn shared(digest: &str) -> Self {
        Self(format!("shared.{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_empty_over_long_and_control_characters() {
        let refused = |text: &str| text.parse::<UserId>().unwrap_err();
        assert_eq!(refused(""), IdentifierError::Empty);
        assert_eq!(refused(&"é".repeat(257)), IdentifierError::TooLong);
        assert_eq!(refused("a\nb"), IdentifierError::ControlCharacter);
        assert!("é".repeat(256).parse::<UserId>().is_ok());
    }
}
