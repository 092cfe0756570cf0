//! What people see in a browser: pages that load nothing, tell the truth, and give nothing away.

use reqwest::Method;

use crate::harness::*;

async fn browse(world: &World, path: &str) -> Answer {
    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    world.api().send(world.api().request(Method::GET, path).header("accept", accept)).await
}

/// Fails when a page could load or leak anything.
fn is_closed(answer: &Answer) {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let policy = answer.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    let page = answer.text();
    for outside in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[tokio::test]
async fn a_browser_that_has_connected_sees_a_page_without_its_code() {
    let world = World::start().await;
    for provider in providers() {
        let callback = world
            .consented(json!({"userId": "alice", "provider": provider}), &Consent::approve("alice"))
            .await;
        let page = browse(&world, &callback).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("cache-control"), "no-store");
        is_closed(&page);
        assert!(page.text().contains("Your account is connected"));
        let again = browse(&world, &callback).await;
        assert_eq!(again.status, 400, "going back says that it is over");
        is_closed(&again);
    }
}

#[tokio::test]
async fn what_a_provider_or_an_attacker_writes_into_the_callback_is_not_shown_as_markup() {
    let world = World::start().await;
    let callback =
        world.consented(json!({"userId": "alice", "provider": "gmail"}), &Consent::deny("alice")).await;
    let state = callback.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let script = "%3Cscript%3Ealert(1)%3C/script%3E";
    for query in
        [format!("state={state}&error={script}"), format!("state={script}"), format!("{script}=1&state=x")]
    {
        let page = browse(&world, &format!("/api/v1/oauth/callback/gmail?{query}")).await;
        assert!(page.status >= 400);
        is_closed(&page);
        assert!(!page.text().contains("<script>alert"), "{}", page.text());
    }
}

#[tokio::test]
async fn the_connect_page_runs_one_script_of_ours_and_nothing_else() {
    let world = World::start().await;
    let page = browse(&world, "/connect").await;
    assert_eq!(page.status, 200);
    is_closed(&page);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'sha256-") && policy.contains("connect-src 'self'"), "{policy}");
    assert_eq!(page.text().matches("<script").count(), 1);
}

#[tokio::test]
async fn the_documentation_is_served_with_every_operation_and_without_a_network() {
    let world = World::start().await;
    let page = browse(&world, "/docs").await;
    assert_eq!(page.status, 200);
    is_closed(&page);
    let document = world.api().get("/openapi.json").await.ok();
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(page.text().contains(path.as_str()), "{path} is not on the page");
    }
}
