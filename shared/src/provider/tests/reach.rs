//! Where calls go: to the hosts of the descriptor and nowhere else, and not inside where a file may not lead inside.

use super::*;
use crate::provider::load::read;

const GMAIL: &str = include_str!("../../../providers/gmail.toml");

/// Gmail's file with its token endpoint at `host`.
fn gmail_at(host: &str) -> String {
    let text = GMAIL.replace("https://oauth2.googleapis.com/token", &format!("https://{host}/token"));
    assert_ne!(text, GMAIL);
    text
}

fn from_file(text: &str, reach: Reach) -> Result<Arc<Provider>, Vec<DescriptorError>> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("gmail.toml"), text).unwrap();
    let providers = Providers::load(Some(directory.path()), reach)?;
    Ok(configured(providers, "gmail", &["s&cret"], None))
}

async fn refresh(provider: &Provider) -> Failure {
    failure(client().refresh(provider, TokenKind::User, &secret("r")).await)
}

#[tokio::test]
async fn a_file_of_the_directory_does_not_lead_inside_and_the_log_says_which_host_does() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let gmail = from_file(&gmail_at(&format!("localhost:{port}")), Reach::Internet).unwrap();
    let failed = refresh(&gmail).await;
    assert_eq!((failed.class, failed.outcome), (FailureClass::Operator, Outcome::NotSent));
    let why = failed.source.unwrap().to_string();
    assert!(why.starts_with("localhost leads to private addresses only"), "{why}");
    let came = tokio::time::timeout(Duration::from_millis(1), listener.accept()).await;
    assert!(came.is_err(), "it was connected to");
}

#[tokio::test]
async fn a_file_of_the_directory_leads_inside_where_that_is_allowed() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["localhost", "127.0.0.1"] {
        let gmail = from_file(&gmail_at(&format!("{host}:{port}")), Reach::Anywhere).unwrap();
        // It is no TLS server.
        let (failed, came) = tokio::join!(refresh(&gmail), async { drop(listener.accept().await.unwrap()) });
        assert_eq!((failed.class, came), (FailureClass::Passing { retry_after: None }, ()));
    }
}

#[test]
fn an_address_that_stands_in_a_file_is_refused_when_it_is_read() {
    for host in ["10.0.0.1", "169.254.169.254", "127.1", "[::1]:8443", "[::ffff:10.0.0.1]", "2130706433"] {
        let errors = from_file(&gmail_at(host), Reach::Internet).err().unwrap();
        let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
        let expected = "provider file gmail.toml: token.url: is at a private address, which needs \
                        PROVIDERS_PRIVATE=allow";
        assert_eq!(said, [expected], "{host}");
    }
    assert!(from_file(&gmail_at("8.8.8.8"), Reach::Internet).is_ok());
}

#[test]
fn a_file_that_is_checked_tells_every_address_and_is_held_to_the_internet() {
    let told = check_file("gmail.toml", GMAIL).unwrap();
    let hosts: Vec<_> = told.iter().filter_map(Url::host_str).map(|host| host.split('.').next()).collect();
    assert_eq!(hosts, ["accounts", "oauth2", "gmail", "openidconnect", "oauth2"].map(Some));
    assert!(check_file("gmail.toml", &gmail_at("10.0.0.1")).is_err());
    assert!(check_file("other.toml", GMAIL).is_err());
}

#[test]
fn every_url_of_a_descriptor_is_looked_at() {
    for provider in Providers::load(None, Reach::Internet).unwrap().iter() {
        let mut descriptor = provider.descriptor.clone();
        let named: Vec<_> = descriptor.addresses().map(|(_, address)| address.url()).collect();
        let moved: Vec<_> = descriptor.addresses_mut().map(|address| address.url()).collect();
        assert_eq!(named, moved);
    }
}

#[test]
fn whatever_a_provider_or_a_caller_says_calls_go_to_the_hosts_of_the_descriptor() {
    let said =
        ["U1", "../../x", "@evil.example/", "//evil.example", "x.evil.example", "\\evil", "?#", ":9", "é"];
    for provider in Providers::load(None, Reach::Internet).unwrap().iter() {
        for (key, address) in provider.descriptor.addresses() {
            let own = address.url();
            assert_eq!(own.scheme(), "https", "{key}");
            for user_id in said {
                let url = address.url_for(user_id).unwrap();
                assert_eq!(url.origin(), own.origin(), "{key} with {user_id}");
                assert_eq!((url.username(), url.password(), url.fragment()), ("", None, None), "{key}");
            }
        }
    }
}

#[test]
fn a_host_that_an_answer_would_choose_is_refused() {
    let text = GMAIL.replace("https://openidconnect.googleapis.com", "https://{user_id}.example");
    assert_ne!(text, GMAIL);
    let errors = read("gmail.toml", &text, Reach::Anywhere).err().unwrap();
    assert!(errors[0].problem.contains("must not have a placeholder in its host"), "{errors:?}");
}
