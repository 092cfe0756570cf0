//! What a gateway, or the infrastructure that builds one, does to the headers that count.

use super::*;

#[tokio::test]
async fn behind_a_gateway_that_proves_itself_the_forwarded_header_counts() {
    let lab = lab(&format!("[gateway]\nidentities = [{{ issuer = \"idp\", email = \"{GATEWAY}\" }}]")).await;
    let (gateway, billing, key) = (bearer(&lab.gateway()), bearer(&lab.billing()), bearer(&lab.key));
    for (forwarded, name) in [(&billing, "service:billing"), (&key, "service:keyed")] {
        let headers = [("authorization", gateway.as_str()), ("x-forwarded-authorization", forwarded)];
        assert_eq!(lab.asks(&headers).await.unwrap(), name);
    }
    // The gateway itself is nobody, with whatever it has been told of the caller.
    let claims = URL_SAFE_NO_PAD.encode(json!({"sub": "billing", "email": GATEWAY}).to_string());
    lab.refuses(&[("authorization", &gateway), ("x-apigateway-api-userinfo", &claims)]).await;
    // Nobody else forwards: not another good token, not one whose signature is gone, not nothing.
    for other in [&billing, &bearer(&stripped(&lab.gateway())), &key] {
        lab.refuses(&[("authorization", other), ("x-forwarded-authorization", &billing)]).await;
    }
    lab.refuses(&[("x-forwarded-authorization", &billing)]).await;
    // Who comes by itself still can.
    assert_eq!(lab.asks(&[("authorization", &billing)]).await.unwrap(), "service:billing");
}

#[tokio::test]
async fn a_gateway_that_is_named_a_service_too_does_not_lend_its_name_to_whoever_comes_through_it() {
    let service = r#"[[services]]
        name = "also-the-gateway"
        identities = [{ issuer = "idp", subject = "42" }]
        [[services.grants]]
        calls = ["tokens.get"]
        tenants = ["*"]
        providers = ["*"]"#;
    let gateway =
        format!("[gateway]\nidentities = [{{ issuer = \"idp\", email = \"{GATEWAY}\" }}]\n{service}");
    let lab = lab(&gateway).await;
    lab.refuses(&[("authorization", &bearer(&lab.gateway()))]).await;
}

#[tokio::test]
async fn where_the_gateway_is_the_sole_invoker_authorization_is_its_own_and_never_counts() {
    let lab = lab("[gateway]\nsole_invoker = true").await;
    let (gateway, billing) = (bearer(&stripped(&lab.gateway())), bearer(&lab.billing()));
    let through = [("authorization", gateway.as_str()), ("x-forwarded-authorization", &billing)];
    assert_eq!(lab.asks(&through).await.unwrap(), "service:billing");
    lab.refuses(&[("authorization", &billing)]).await;
}

#[tokio::test]
async fn behind_routes_that_ask_for_a_signature_of_aws_the_forwarded_header_counts() {
    let lab = lab_in("", &[("GATEWAY", "sole-invoker")]).await;
    let (billing, key) = (bearer(&lab.billing()), bearer(&lab.key));
    let signature = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/execute-api/aws4_request, \
                     SignedHeaders=host;x-amz-date;x-forwarded-authorization, Signature=5d672d79c15b13162d9279b0855cfba6";
    for (forwarded, name) in [(&billing, "service:billing"), (&key, "service:keyed")] {
        let headers = [("authorization", signature), ("x-forwarded-authorization", forwarded)];
        assert_eq!(lab.asks(&headers).await.unwrap(), name);
    }
    // Who may invoke us is not yet one of our callers, and is told which header is left for that.
    let said = lab.refuses(&[("authorization", signature)]).await;
    assert!(said.contains("X-Forwarded-Authorization"), "{said}");
    lab.refuses(&[("authorization", signature), ("x-forwarded-authorization", signature)]).await;
}

#[tokio::test]
async fn what_the_infrastructure_says_of_a_gateway_counts_in_the_place_of_the_files_word() {
    let named = format!("[gateway]\nidentities = [{{ issuer = \"idp\", email = \"{GATEWAY}\" }}]");
    for file in ["", "[gateway]\nsole_invoker = true", &named] {
        let behind = lab_in(file, &[("GATEWAY", "sole-invoker")]).await;
        let (gateway, billing) = (bearer(&stripped(&behind.gateway())), bearer(&behind.billing()));
        let through = [("authorization", gateway.as_str()), ("x-forwarded-authorization", &billing)];
        assert_eq!(behind.asks(&through).await.unwrap(), "service:billing", "{file}");
        behind.refuses(&[("authorization", &billing)]).await;

        let alone = lab_in(file, &[("GATEWAY", "none")]).await;
        let (gateway, billing) = (bearer(&alone.gateway()), bearer(&alone.billing()));
        assert_eq!(alone.asks(&[("authorization", &billing)]).await.unwrap(), "service:billing", "{file}");
        alone.refuses(&[("authorization", &gateway), ("x-forwarded-authorization", &billing)]).await;
    }
}

#[tokio::test]
async fn without_a_gateway_a_forwarded_header_is_made_up_and_passed_over() {
    let lab = lab("").await;
    let (billing, key) = (bearer(&lab.billing()), bearer(&lab.key));
    lab.refuses(&[("x-forwarded-authorization", &billing)]).await;
    let both = [("authorization", key.as_str()), ("x-forwarded-authorization", &billing)];
    assert_eq!(lab.asks(&both).await.unwrap(), "service:keyed");
}
