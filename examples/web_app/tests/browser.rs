//! A real browser on the sandbox's pages. What it saw is kept in `target/screenshots`.
//!
//! Longer than 400 lines: the pages of the sandbox, driven one after the other.

#[path = "../../support/pdf.rs"]
mod pdf;
#[path = "../../../tests/support/process.rs"]
mod process;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client as Browser, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use posten_signering::direct;
use posten_signering::portal::{self, Lookup, SigningOrder};
use posten_signering::sandbox::Sandbox;
use posten_signering::{ContactInformation, Document, Documents, ExitUrls, JobId, SignatureJobStatus, SignatureStatus};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use self::process::Running;

/// chromedriver, and the browsers it starts.
struct Driver {
    _process: Running,
    port: u16,
}

impl Driver {
    fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("needs chromedriver");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok());
        Self { _process: Running(process), port: port.expect("chromedriver says where it listens") }
    }

    /// A browser with a profile of its own.
    async fn browser(&self, language: &str) -> Browser {
        self.browser_on(language, Screen::Desk).await
    }

    async fn browser_on(&self, language: &str, screen: Screen) -> Browser {
        let profile = tempfile::tempdir().unwrap().keep();
        let mut options = serde_json::json!({
            "binary": "/usr/bin/chromium",
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--window-size=1100,1250", "--hide-scrollbars", format!("--accept-lang={language}"),
                format!("--user-data-dir={}", profile.display()),
            ],
            "prefs": { "intl.accept_languages": language },
        });
        match screen {
            Screen::Desk => {}
            Screen::Dark => options["args"].as_array_mut().unwrap().push("--force-dark-mode".into()),
            Screen::Phone => {
                let size = serde_json::json!({ "width": 360, "height": 740, "pixelRatio": 2.0 });
                options["mobileEmulation"] = serde_json::json!({ "deviceMetrics": size });
            }
        }
        let capabilities = serde_json::json!({ "goog:chromeOptions": options });
        let serde_json::Value::Object(capabilities) = capabilities else { unreachable!() };
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .expect("needs chromium")
    }
}

/// The screen of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Screen {
    Desk,
    /// A person who prefers dark colors.
    Dark,
    Phone,
}

/// The sender's own web site, to which the browser comes back.
async fn sender_site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let line = String::from_utf8_lossy(&request[..read]).lines().next().unwrap_or_default().to_owned();
            let path = line.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
            let body = format!("<title>sender</title><h1>Back at the sender: {path}</h1>");
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length:";
            let _ = stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await;
        }
    });
    format!("http://{address}")
}

/// Saves a screenshot.
async fn keep(browser: &Browser, name: &str) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(format!("{name}.png")), browser.screenshot().await.unwrap()).unwrap();
}

async fn text(browser: &Browser) -> String {
    browser.find(Locator::Css("body")).await.unwrap().text().await.unwrap()
}

async fn button(browser: &Browser, name: &str) -> Element {
    let xpath = format!("//button[normalize-space()='{name}']");
    browser.find(Locator::XPath(&xpath)).await.unwrap_or_else(|error| panic!("no button {name}: {error}"))
}

/// Presses a button, and waits for the page that it leads to.
async fn press(browser: &Browser, name: &str) {
    let button = button(browser, name).await;
    follow(browser, button).await;
}

/// Clicks, and waits until the old page is gone and the new one is whole.
async fn follow(browser: &Browser, element: Element) {
    browser.execute("window.isOld = true", vec![]).await.unwrap();
    element.click().await.unwrap();
    let script = "return !window.isOld && document.readyState === 'complete'";
    for _ in 0..200 {
        // Between two pages there is nothing to ask.
        if browser.execute(script, vec![]).await.is_ok_and(|is| is == true) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no new page came");
}

fn direct_request(title: &str, site: &str, documents: Documents) -> direct::JobRequest {
    direct::JobRequest::builder()
        .title(title.parse().unwrap())
        .description("Les gjennom avtalen og signer.\nRing oss om noe er uklart.".parse().unwrap())
        .document(documents)
        .signer(direct::Signer::national_id("01010012345".parse().unwrap()))
        .exit_urls(
            ExitUrls::builder()
                .completion(format!("{site}/completed"))
                .rejection(format!("{site}/rejected"))
                .error(format!("{site}/failed"))
                .build()
                .unwrap(),
        )
        .build()
}

fn agreement() -> Documents {
    Document::pdf("Arbeidsavtale", pdf::page("Arbeidsavtale mellom Kari Nordmann og Sandkassekunde AS")).unwrap().into()
}

#[tokio::test]
#[ignore = "outside tool: needs chromium and chromedriver"]
async fn outside_a_direct_job_is_signed_rejected_and_failed_in_a_browser() {
    let (driver, site) = (Driver::start(), sender_site().await);
    let sandbox = Sandbox::start().await.unwrap();
    let browser = driver.browser("nb").await;
    for (action, path, status) in [
        ("Signer", "/completed", SignatureStatus::Signed),
        ("Avvis", "/rejected", SignatureStatus::Rejected),
        ("La signeringen feile", "/failed", SignatureStatus::Failed),
    ] {
        let job = sandbox.client().direct().create(&direct_request("Arbeidsavtale", &site, agreement())).await.unwrap();
        let redirect_url = job.signers()[0].redirect_url().as_str().to_owned();
        browser.goto(&redirect_url).await.unwrap();
        assert_eq!(
            browser.find(Locator::Css("html")).await.unwrap().attr("lang").await.unwrap().as_deref(),
            Some("nb")
        );
        let shown = text(&browser).await;
        for part in ["Arbeidsavtale", "Les gjennom avtalen", "Sandkassekunde AS (123456789)", "01.01.00 Testperson"] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        if action == "Signer" {
            // The viewer takes its time to draw.
            tokio::time::sleep(Duration::from_secs(2)).await;
            keep(&browser, "sign-nb").await;
            // Refresh works, and so does the link again in the same browser.
            browser.refresh().await.unwrap();
            browser.goto(&redirect_url).await.unwrap();
            button(&browser, "Signer").await;
            // The document is there, shown and for download.
            let object = browser.find(Locator::Css("object")).await.unwrap();
            let address = object.attr("data").await.unwrap().unwrap();
            let fetched = browser
                .execute_async(
                    "const done = arguments[1]; fetch(arguments[0]).then(r => r.arrayBuffer()).then(b => done(b.byteLength), e => done(String(e)))",
                    vec![address.into()],
                )
                .await;
            // The page's own policy lets nothing fetch, not even a script of the driver.
            let refused = fetched.unwrap().as_str().unwrap_or_default().to_owned();
            assert!(refused.contains("Failed to fetch"), "{refused}");
            // A second browser is told so.
            let second = driver.browser("nb").await;
            second.goto(&redirect_url).await.unwrap();
            assert!(text(&second).await.contains("Lenken er brukt"));
            keep(&second, "link-is-used-nb").await;
            second.close().await.unwrap();
            // Everything can be reached and done by keyboard.
            let mut reached = Vec::new();
            // The document's own viewer has many stops.
            for _ in 0..60 {
                let script = "return document.activeElement.innerText || document.activeElement.tagName";
                browser.active_element().await.unwrap().send_keys("\u{e004}").await.unwrap();
                reached.push(browser.execute(script, vec![]).await.unwrap().as_str().unwrap_or_default().to_owned());
            }
            for name in ["Hopp til innholdet", "Last ned", "Signer", "Avvis"] {
                assert!(reached.iter().any(|text| text == name), "{name} in {reached:?}");
            }
        }
        press(&browser, action).await;
        let url = browser.current_url().await.unwrap();
        assert_eq!(url.path(), path);
        assert!(text(&browser).await.contains("Back at the sender"));
        let token = url.query_pairs().find(|(name, _)| name == "status_query_token").unwrap().1.into_owned();
        let answered = job.status(&token.parse().unwrap()).await.unwrap();
        assert_ne!(answered.state(), SignatureJobStatus::InProgress);
        let signatures = answered.signatures();
        assert_eq!(signatures[0].status(), &status);
        browser.back().await.unwrap();
        browser.refresh().await.unwrap();
        assert!(text(&browser).await.contains("ikke mer å gjøre"));
    }
    keep(&browser, "nothing-left-nb").await;
    browser.close().await.unwrap();
}

#[tokio::test]
#[ignore = "outside tool: needs chromium and chromedriver"]
async fn outside_portal_signers_log_in_and_sign_in_their_order() {
    let driver = Driver::start();
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client();
    let turn = |order| SigningOrder::new(order).unwrap();
    let kari = portal::Signer::national_id("01010012345".parse().unwrap()).lookup(Lookup::EmailAndSms).order(turn(1));
    let contact = ContactInformation::email("ola@example.com".parse().unwrap());
    let ola = portal::Signer::contact(contact.and_mobile("90000000".parse().unwrap())).order(turn(2));
    let request = |title: &str| {
        portal::JobRequest::builder()
            .title(title.parse().unwrap())
            .nonsensitive_title("Et dokument fra Sandkassekunde AS".parse().unwrap())
            .document(agreement())
            .signer(portal::Signers::new([kari.clone().build(), ola.clone().build()]).unwrap())
            .build()
    };
    let job = client.portal().create(&request("Leieavtale")).await.unwrap();
    let browser = driver.browser("en").await;
    let web = sandbox.web_url().to_owned();
    let log_in = async |who: &str| {
        browser.goto(&format!("{web}/portal")).await.unwrap();
        browser.find(Locator::Css("#who")).await.unwrap().send_keys(who).await.unwrap();
        press(&browser, "Log in").await;
    };
    log_in("nobody knows this").await;
    assert!(text(&browser).await.contains("The number or code is wrong."));
    keep(&browser, "portal-log-in-en").await;

    // Ola has no invitation yet: Kari signs first.
    browser.goto(&format!("{web}/inbox")).await.unwrap();
    let inbox = text(&browser).await;
    assert!(inbox.contains("the addresses in the contact register") && !inbox.contains("ola@example.com"), "{inbox}");
    log_in("01010012345").await;
    assert!(text(&browser).await.contains("Ready to be signed"));
    keep(&browser, "portal-jobs-en").await;
    press(&browser, "Open").await;
    assert!(text(&browser).await.contains("Leieavtale"));
    press(&browser, "Sign").await;
    assert_eq!(browser.current_url().await.unwrap().path(), "/portal/jobs");
    assert!(text(&browser).await.contains("Signed"));
    press(&browser, "Log out").await;

    // Now Ola, by the link and the code in the invitation, in bokmål.
    browser.goto(&format!("{web}/inbox?lang=nb")).await.unwrap();
    let inbox = text(&browser).await;
    assert!(inbox.contains("ola@example.com, 90000000"), "{inbox}");
    keep(&browser, "inbox-nb").await;
    let code = browser.find(Locator::Css("strong.code")).await.unwrap().text().await.unwrap();
    let link = browser.find(Locator::LinkText("Gå til signering")).await.unwrap();
    follow(&browser, link).await;
    browser.find(Locator::Css("#code")).await.unwrap().send_keys("FEIL").await.unwrap();
    press(&browser, "Logg inn").await;
    assert!(text(&browser).await.contains("(1/3)"));
    keep(&browser, "portal-code-nb").await;
    browser.find(Locator::Css("#code")).await.unwrap().send_keys(&code.to_lowercase()).await.unwrap();
    press(&browser, "Logg inn").await;
    press(&browser, "Åpne").await;
    press(&browser, "Signer").await;
    assert!(sandbox.received_jobs()[0].signers.iter().all(|signer| signer.status == SignatureStatus::Signed));

    // Three wrong codes, and the signer is blocked.
    let blocked = client.portal().create(&request("En annen avtale")).await.unwrap();
    sandbox.log_in(blocked.id(), kari.clone().build().name()).unwrap().sign().unwrap();
    for _ in 0..3 {
        browser.goto(&format!("{web}/portal/invitation/{}/2", blocked.id())).await.unwrap();
        browser.find(Locator::Css("#code")).await.unwrap().send_keys("0000").await.unwrap();
        press(&browser, "Logg inn").await;
    }
    assert!(text(&browser).await.contains("Sperret"), "{}", text(&browser).await);
    let state = |id: JobId| sandbox.received_jobs().into_iter().find(|job| job.id == id).unwrap();
    assert_eq!(state(blocked.id()).signers[1].status, SignatureStatus::Blocked);
    assert_eq!(state(job.id()).signers[1].status, SignatureStatus::Signed);
    browser.close().await.unwrap();
}

#[tokio::test]
#[ignore = "outside tool: needs chromium and chromedriver"]
async fn outside_the_dashboard_shows_jobs_and_moves_time_and_what_is_hostile_is_text() {
    let (driver, site) = (Driver::start(), sender_site().await);
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client();
    let hostile = "\"><script>document.title='owned'</script><img src=x onerror=document.title='owned'>";
    let hostile = &hostile[..79];
    let document = Document::pdf(hostile, pdf::page("x")).unwrap().with_file_name("\"><script>alert(1)</script>.pdf");
    let text_document = Document::text("Tekst </pre><script>", "<script>document.title='owned'</script>").unwrap();
    let documents = Documents::new([document, text_document]).unwrap();
    let request = direct::JobRequest::builder()
        .title(hostile.parse().unwrap())
        .description("</p><script>document.title='owned'</script>".parse().unwrap())
        .reference("<b>bold</b>".parse().unwrap())
        .document(documents)
        .signer(direct::Signer::identified_by("<script>document.title='owned'</script>".parse().unwrap()))
        .exit_urls(
            ExitUrls::builder()
                .completion(format!("{site}/a"))
                .rejection(format!("{site}/b"))
                .error(format!("{site}/c"))
                .build()
                .unwrap(),
        )
        .build();
    let job = client.direct().create(&request).await.unwrap();
    client.direct().create(&direct_request("Arbeidsavtale", &site, agreement())).await.unwrap();
    let polled = direct_request("Leieavtale", &site, agreement()).polling(posten_signering::PollingQueue::DEFAULT);
    let polled = client.direct().create(&polled).await.unwrap();
    sandbox.sign(polled.id(), polled.signers()[0].name()).unwrap();
    job.status(&"wrong".parse().unwrap()).await.unwrap_err();

    let browser = driver.browser("en").await;
    browser.goto(job.signers()[0].redirect_url().as_str()).await.unwrap();
    let title = browser.title().await.unwrap();
    assert!(title.starts_with(hostile), "{title}");
    assert!(text(&browser).await.contains("</p><script>document.title='owned'</script>"));
    assert!(browser.find_all(Locator::Css("main script, main img")).await.unwrap().is_empty());
    keep(&browser, "hostile-job-en").await;

    browser.goto(sandbox.web_url()).await.unwrap();
    let dashboard = text(&browser).await;
    for part in
        [hostile, "<b>bold</b>", "Arbeidsavtale", "SIGNED", "SIGNING_CEREMONY_NOT_COMPLETED", "default queue: job 3"]
    {
        assert!(dashboard.contains(part), "{part} in {dashboard}");
    }
    assert!(browser.find_all(Locator::Css("main script, main img")).await.unwrap().is_empty());
    keep(&browser, "dashboard-hostile").await;
    press(&browser, "+ 30 days").await;
    assert!(text(&browser).await.contains("EXPIRED"));
    press(&browser, "Add").await;
    assert!(text(&browser).await.contains("lose-request*1"));
    let impatient = posten_signering::Client::builder()
        .environment(sandbox.environment())
        .identity(sandbox.identity())
        .sender(client.sender().clone())
        .retry(posten_signering::Retry::OFF)
        .build()
        .unwrap();
    impatient.whoami().await.unwrap_err();
    impatient.whoami().await.unwrap();
    press(&browser, "Add").await;
    press(&browser, "Remove all").await;
    impatient.whoami().await.unwrap();

    // A form that another site sends has no token, and does nothing.
    let forged = browser
        .execute(
            "const f = document.createElement('form'); f.method = 'post'; f.action = '/advance';
             const i = document.createElement('input'); i.name = 'seconds'; i.value = '600'; f.append(i);
             document.body.append(f); f.submit(); return 1",
            vec![],
        )
        .await;
    forged.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(text(&browser).await.contains("did not come from a page of the sandbox"));
    browser.close().await.unwrap();
}

/// Elements that are wider than the card around them.
const OUTSIDE: &str = "
    const edges = element => element.getBoundingClientRect().right;
    const inside = [...document.querySelectorAll('.card *')].filter(element => !element.closest('object'));
    return inside.filter(element => edges(element) > edges(element.closest('.card')) + 0.5)
        .map(element => element.tagName + ' ' + element.id)";

/// Which texts of a page are hard to read: a contrast below 4.5 to 1 (WCAG 2.2, 1.4.3).
const WEAK: &str = "
    const luminance = color => {
        const parts = color.match(/[\\d.]+/g).slice(0, 3).map(Number).map(value => value / 255);
        const [r, g, b] = parts.map(value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = element => {
        for (; element; element = element.parentElement) {
            const color = getComputedStyle(element).backgroundColor;
            if (!color.endsWith(', 0)')) return color;
        }
        return 'rgb(255, 255, 255)';
    };
    const weak = [];
    for (const element of document.querySelectorAll('body *')) {
        const texts = [...element.childNodes].filter(node => node.nodeType === 3 && node.textContent.trim());
        if (!texts.length || element.closest('object')) continue;
        const [a, b] = [getComputedStyle(element).color, ground(element)].map(luminance);
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) weak.push(element.tagName + ' ' + texts[0].textContent.trim() + ' ' + contrast);
    }
    return weak";

#[tokio::test]
#[ignore = "outside tool: needs chromium and chromedriver"]
async fn outside_every_page_fits_on_a_phone_and_can_be_read_in_light_and_dark_colors() {
    let (driver, site) = (Driver::start(), sender_site().await);
    let sandbox = Sandbox::start_with(Sandbox::builder().archive(true).build()).await.unwrap();
    let (client, web) = (sandbox.client(), sandbox.web_url().to_owned());
    let create = async |title: &str| {
        let request = direct_request(title, &site, agreement());
        client.direct().create(&request).await.unwrap()
    };
    let forgotten = create("Fullmakt").await;
    sandbox.advance(Duration::from_secs(2 * 3600));
    let [completed, rejected] = [create("Arbeidsavtale").await, create("Taushetserklæring").await];
    let contact = ContactInformation::email("ola@example.com".parse().unwrap());
    let kari = portal::Signer::national_id("01010012345".parse().unwrap()).lookup(Lookup::EmailAndSms);
    let request = portal::JobRequest::builder()
        .title("Leieavtale for hybel i Storgata 1".parse().unwrap())
        .nonsensitive_title("Et dokument fra Sandkassekunde AS".parse().unwrap())
        .document(agreement())
        .signer(portal::Signers::new([kari.build(), portal::Signer::contact(contact).build()]).unwrap())
        .reference("sak-2026-17".parse().unwrap())
        .build();
    client.portal().create(&request).await.unwrap();
    sandbox.sign(completed.id(), completed.signers()[0].name()).unwrap();
    sandbox.reject(rejected.id(), rejected.signers()[0].name()).unwrap();
    forgotten.status(&"wrong".parse().unwrap()).await.unwrap_err();
    sandbox.inject("confirm:lose-answer*2".parse().unwrap());

    for screen in [Screen::Desk, Screen::Dark, Screen::Phone] {
        let browser = driver.browser_on("nb", screen).await;
        let seen = async |name: &str| {
            let width = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            let over = browser.execute(width, vec![]).await.unwrap();
            assert_eq!(over, 0, "{name} is wider than the screen: {screen:?}");
            let outside = browser.execute(OUTSIDE, vec![]).await.unwrap();
            assert_eq!(outside, serde_json::json!([]), "{name}: {screen:?}");
            let weak = browser.execute(WEAK, vec![]).await.unwrap();
            assert_eq!(weak, serde_json::json!([]), "{name}: {screen:?}");
            let ground = "return getComputedStyle(document.body).backgroundColor";
            let ground = browser.execute(ground, vec![]).await.unwrap();
            assert_eq!(ground == "rgb(25, 22, 22)", screen == Screen::Dark, "{ground}");
            let suffix = match screen {
                Screen::Desk => "",
                Screen::Dark => "-dark",
                Screen::Phone => "-phone",
            };
            keep(&browser, &format!("{name}{suffix}")).await;
        };
        browser.goto(&web).await.unwrap();
        let dashboard = text(&browser).await;
        for part in ["Archived as", "document-2", "confirm:lose-answer*2", "REJECTED"] {
            assert!(dashboard.contains(part), "{part} in {dashboard}");
        }
        seen("dashboard").await;
        // A link that has expired; its page has the other language too.
        browser.goto(forgotten.signers()[0].redirect_url().as_str()).await.unwrap();
        assert!(text(&browser).await.contains("Lenken er utløpt"), "{}", text(&browser).await);
        seen("link-has-expired").await;
        let link = browser.find(Locator::LinkText("English")).await.unwrap();
        follow(&browser, link).await;
        assert!(text(&browser).await.contains("This link has expired"), "{}", text(&browser).await);
        let link = browser.find(Locator::LinkText("Norsk bokmål")).await.unwrap();
        follow(&browser, link).await;
        assert!(text(&browser).await.contains("Lenken er utløpt"));
        // The choice is remembered, on pages that there are not too.
        browser.goto(&format!("{web}/nothing")).await.unwrap();
        seen("not-found").await;
        browser.goto(&format!("{web}/inbox")).await.unwrap();
        seen("inbox").await;
        browser.goto(&format!("{web}/portal")).await.unwrap();
        seen("portal-log-in").await;
        browser.find(Locator::Css("#who")).await.unwrap().send_keys("01010012345").await.unwrap();
        press(&browser, "Logg inn").await;
        seen("portal-jobs").await;
        press(&browser, "Åpne").await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        seen("portal-sign").await;
        let again = client.direct().create(&direct_request("Arbeidsavtale", &site, agreement())).await.unwrap();
        browser.goto(again.signers()[0].redirect_url().as_str()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        seen("sign").await;
        browser.close().await.unwrap();
    }
}

/// The web application of the examples, from an empty form to the signed PDF.
#[tokio::test]
#[ignore = "outside tool: needs chromium, chromedriver and pdfsig"]
async fn outside_the_web_application_has_a_contract_signed() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_web_app"));
    command.args(["--port", "0", "--dir"]).arg(directory.path()).stdout(Stdio::piped());
    let mut app = Running(command.spawn().unwrap());
    let mut lines = BufReader::new(app.0.stdout.take().unwrap()).lines();
    let address = lines.next().unwrap().unwrap().split_whitespace().last().unwrap().to_owned();

    let driver = Driver::start();
    let browser = driver.browser("nb").await;
    browser.goto(&address).await.unwrap();
    for (field, value) in [("employee", "Kari Nordmann"), ("position", "utvikler"), ("personal_number", "01010012345")]
    {
        let field = browser.find(Locator::Css(&format!("input[name={field}]"))).await.unwrap();
        field.send_keys(value).await.unwrap();
    }
    keep(&browser, "web-app-form").await;
    press(&browser, "Send to signing").await;
    assert!(text(&browser).await.contains("01.01.00 Testperson"));

    // The signer closes the page, and goes on from the contract's own.
    browser.goto(&address).await.unwrap();
    let contract = browser.find(Locator::LinkText("Kari Nordmann, utvikler")).await.unwrap();
    follow(&browser, contract).await;
    press(&browser, "Go on signing").await;
    press(&browser, "Signer").await;
    let url = browser.current_url().await.unwrap();
    assert!(url.as_str().starts_with(&format!("{address}/contracts/")) && url.query().is_none(), "{url}");
    assert!(text(&browser).await.contains("Download the signed contract"));
    keep(&browser, "web-app-signed").await;
    browser.close().await.unwrap();

    let id = url.path_segments().unwrap().next_back().unwrap();
    let judged = Command::new("pdfsig").arg(directory.path().join(format!("{id}.pdf"))).output().expect("needs pdfsig");
    let judged = String::from_utf8_lossy(&judged.stdout);
    assert!(judged.contains("Signature is Valid.") && judged.contains("Total document signed"), "{judged}");
}
