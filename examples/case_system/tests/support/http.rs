//! The requests of a browser, without a browser.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer.
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub body: String,
}

pub async fn get(port: u16, path: &str) -> std::io::Result<Answer> {
    send(port, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await
}

pub async fn post(port: u16, path: &str, form: &str) -> std::io::Result<Answer> {
    let head = "Host: localhost\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded";
    send(port, &format!("POST {path} HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{form}", form.len())).await
}

async fn send(port: u16, request: &str) -> std::io::Result<Answer> {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(Duration::from_secs(60), exchange).await.map_err(std::io::Error::other)??;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("no answer"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let location = head.lines().find_map(|line| line.strip_prefix("location: ")).map(str::to_owned);
    Ok(Answer { status: status.ok_or_else(|| std::io::Error::other("no status"))?, location, body: body.to_owned() })
}
