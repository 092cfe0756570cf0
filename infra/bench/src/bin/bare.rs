//! The measure of every ratio: one axum route that reads the request's body and answers fixed bytes, nothing else.

use std::error::Error;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(path), Some(answer)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("bare ADDRESS PATH ANSWER".into());
    };
    let answer = Bytes::from(answer);
    let respond = move |_body: Bytes| {
        let answer = answer.clone();
        async move { ([(CONTENT_TYPE, "application/json")], answer) }
    };
    let router = Router::new().route(&path, get(respond.clone()).post(respond));
    axum::serve(TcpListener::bind(address).await?, router).await?;
    Ok(())
}
