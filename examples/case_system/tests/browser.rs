//! The pages in a real browser: form, signing in the sandbox, back, document; and back while the service is away.

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::http::StatusCode;
use fantoccini::elements::Element;
use fantoccini::{Client as Browser, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use posten_signering::sandbox::{Fault, FaultRule, RefusalBody, Sandbox};

use self::support::postgres::Postgres;
use self::support::system::System;
use self::support::until;

/// chromedriver, and the browsers it starts.
struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("needs chromedriver");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok());
        Self { process, port: port.expect("chromedriver says where it listens") }
    }

    async fn browser(&self, profile: &Path) -> Browser {
        let options = serde_json::json!({
            "binary": "/usr/bin/chromium",
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--window-size=1100,900", "--accept-lang=nb", format!("--user-data-dir={}", profile.display()),
            ],
        });
        let capabilities = serde_json::json!({ "goog:chromeOptions": options });
        let serde_json::Value::Object(capabilities) = capabilities else { unreachable!() };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        builder.connect(&format!("http://127.0.0.1:{}", self.port)).await.expect("needs chromium")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Presses a button, and waits until the old page is gone and the new one is whole.
async fn press(browser: &Browser, name: &str) {
    let xpath = format!("//button[normalize-space()='{name}']");
    let button: Element = browser.find(Locator::XPath(&xpath)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    browser.execute("window.isOld = true", vec![]).await.unwrap();
    button.click().await.unwrap();
    let script = "return !window.isOld && document.readyState === 'complete'";
    until("a new page", Duration::from_secs(60), async || {
        // Between two pages there is nothing to ask.
        browser.execute(script, vec![]).await.is_ok_and(|is_new| is_new == true).then_some(())
    })
    .await;
}

async fn body(browser: &Browser) -> String {
    browser.find(Locator::Css("body")).await.unwrap().text().await.unwrap()
}

/// Fills in the form. Ends at the page of the sandbox.
async fn begin(browser: &Browser, site: &str, title: &str) {
    browser.goto(site).await.unwrap();
    for (name, value) in [("title", title), ("personal_number", "01010012345")] {
        let field = browser.find(Locator::Css(&format!("[name={name}]"))).await.unwrap();
        field.send_keys(value).await.unwrap();
    }
    press(browser, "Send").await;
    assert!(body(browser).await.contains(title), "the page of the sandbox");
}

/// Keeps what the browser shows in `target/screenshots`.
async fn keep(browser: &Browser, name: &str) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(format!("{name}.png")), browser.screenshot().await.unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL, chromium and chromedriver"]
async fn outside_a_signer_signs_in_a_browser_and_comes_back_also_while_the_service_is_away() {
    let (directory, driver, database) = (tempfile::tempdir().unwrap(), Driver::start(), Postgres::start());
    database.pool().await;
    let sandbox = Sandbox::start().await.unwrap();
    let mut system = System::of(directory.path(), &database, &sandbox);
    let port = support::free_port();
    let site = format!("http://127.0.0.1:{port}");
    system.set("PUBLIC_URL", site.clone());
    let process = system.start_at("all", port);
    process.ready().await;
    let browser = driver.browser(&directory.path().join("profile")).await;

    begin(&browser, &site, "Arbeidsavtale").await;
    press(&browser, "Signer").await;
    assert!(browser.current_url().await.unwrap().as_str().starts_with(&format!("{site}/cases/")));
    let shown = body(&browser).await;
    assert!(shown.contains("State: signed") && shown.contains("Signed document"), "{shown}");
    keep(&browser, "case-system-signed").await;
    let script = "const done = arguments[0]; fetch(document.querySelector('a[href$=\"signed.pdf\"]').href)
        .then(answer => answer.text()).then(text => done(text.slice(0, 4)), error => done(String(error)))";
    assert_eq!(browser.execute_async(script, vec![]).await.unwrap(), "%PDF");

    // The service is away from when the signer has signed, until later. The signer's own page is not the API.
    begin(&browser, &site, "Leieavtale").await;
    sandbox.inject(FaultRule::new(Fault::Refuse(StatusCode::SERVICE_UNAVAILABLE, RefusalBody::Html)));
    press(&browser, "Signer").await;
    let shown = body(&browser).await;
    assert!(shown.contains("State: sent") && shown.contains("nothing more for you to do"), "{shown}");
    keep(&browser, "case-system-service-away").await;
    sandbox.clear_faults();
    until("the document", Duration::from_secs(60), async || {
        browser.refresh().await.unwrap();
        body(&browser).await.contains("State: signed").then_some(())
    })
    .await;
    until("both confirmations", Duration::from_secs(60), async || (sandbox.confirmations().len() == 2).then_some(()))
        .await;
    browser.close().await.unwrap();
}
