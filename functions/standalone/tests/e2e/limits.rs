//! How often who may call: a refusal says whose limit it is and when to come back, and costs nobody else anything.

use shared::testing::redis_server::RedisServer;

use crate::harness::*;

/// A callers file whose users may be asked for ten times at once, and then at this rate.
fn limited(callers: &Callers, of_user: &str) -> String {
    let limits = format!(
        "[limits.tokens]\ncaller = \"6000/min burst 30\"\ntenant = \"6000/min burst 20\"\nuser = \"{of_user} burst 10\"\n\
         [limits.connect]\nuser = \"60/min burst 5\"\n\
         [limits.admin]\ncaller = \"60/min burst 5\"\n\
         [limits.callback]\naddress = \"60/min burst 5\"\n"
    );
    format!("{limits}{}", callers.file())
}

/// A world, and the issuer of its callers' tokens.
async fn world() -> (World, Callers) {
    let callers = Callers::start().await;
    let world = Setup::default().callers(&callers).var("CALLERS", &limited(&callers, "60/min")).start().await;
    (world, callers)
}

/// How many of `times` calls are let through.
async fn through(times: usize, call: impl AsyncFn() -> Answer) -> usize {
    let mut through = 0;
    for _ in 0..times {
        through += usize::from(call().await.status != 429);
    }
    through
}

#[tokio::test]
async fn a_user_who_is_asked_for_too_often_is_refused_and_others_are_not() {
    let (world, _callers) = world().await;
    assert_eq!(through(12, async || world.get("gmail", "alice").await).await, 10);
    let refused = world.get("gmail", "alice").await;
    assert_eq!(refused.header("retry-after"), "1");
    assert!(refused.header("ratelimit").contains("r=0"), "{}", refused.header("ratelimit"));
    assert!(refused.header("ratelimit-policy").contains("q="), "{}", refused.header("ratelimit-policy"));
    let problem = refused.refused(429, "rate_limited");
    assert!(problem["detail"].as_str().unwrap().contains("user"), "{problem}");
    let other = world.get("gmail", "bob").await;
    assert!(other.header("ratelimit").contains("r=9"), "{}", other.header("ratelimit"));
    world.advance(1);
    assert_eq!(through(3, async || world.get("gmail", "alice").await).await, 1, "one a second");
}

#[tokio::test]
async fn a_tenant_and_a_caller_have_limits_over_all_of_their_users() {
    let (world, _callers) = world().await;
    let of = async |tenant: &str, n: usize| {
        let body = json!({"userId": format!("u{n}"), "tenantId": tenant, "provider": "gmail"});
        world.api().post("/api/v1/tokens/get", &body).await.status
    };
    let mut acme = Vec::new();
    for n in 0..22 {
        acme.push(of("acme", n).await);
    }
    assert_eq!(acme.iter().filter(|status| **status == 404).count(), 20, "{acme:?}");
    let mut globex = Vec::new();
    for n in 0..12 {
        globex.push(of("globex", n).await);
    }
    // The caller has made 22 calls of its 30.
    assert_eq!(globex.iter().filter(|status| **status == 404).count(), 8, "{globex:?}");
}

#[tokio::test]
async fn connects_callbacks_and_operators_have_limits_too() {
    let (world, _callers) = world().await;
    let body = json!({"userId": "alice", "provider": "gmail"});
    assert_eq!(through(7, async || world.authorize(body.clone()).await).await, 5);
    let callback = "/api/v1/oauth/callback/gmail?state=x&code=y";
    assert_eq!(through(7, async || world.api().get(callback).await).await, 5);
    assert_eq!(through(7, async || world.api().get("/api/v1/admin/stats").await).await, 5);
    assert_eq!(through(7, async || world.api().get("/health").await).await, 7, "probes have none");
}

#[tokio::test]
async fn processes_that_share_a_redis_share_the_limits_and_without_it_each_has_its_own() {
    let Some(mut redis) = RedisServer::start().unwrap() else { return };
    let callers = Callers::start().await;
    // Redis has its own clock: what comes back in a second would come back to a busy machine meanwhile.
    let setup = Setup::default().callers(&callers).var("CALLERS", &limited(&callers, "60/h"));
    let world = setup.var("CACHE_URL", &redis.url()).start().await;
    let other = world.another_service().await;
    let other_api = other.api.bearing(&callers.bearer(Party::Everything).unwrap());
    let body = |user: &str| json!({"userId": user, "tenantId": "acme", "provider": "gmail"});
    let both = async |user: &str| {
        let ask = async |api: &Api| api.post("/api/v1/tokens/get", &body(user)).await;
        let mine = through(8, async || ask(world.api()).await).await;
        mine + through(8, async || ask(&other_api).await).await
    };
    assert_eq!(both("alice").await, 10);
    redis.kill().unwrap();
    world.advance(60);
    let alone = both("bob").await;
    assert!((10..=16).contains(&alone), "each process keeps the limit by itself: {alone}");
    assert_eq!(through(8, async || world.api().post("/api/v1/tokens/get", &body("bob")).await).await, 2);
    other.stop().await;
}
