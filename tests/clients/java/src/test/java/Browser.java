import java.net.CookieManager;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A person's browser on the pages of the sandbox: follows links, keeps cookies, sends forms. */
final class Browser {
    private final HttpClient http =
        HttpClient.newBuilder().cookieHandler(new CookieManager()).followRedirects(HttpClient.Redirect.NEVER).build();

    /** Opens a redirect URL and does something there. Returns where the browser is sent. */
    static URI visit(URI redirectUrl, String act) {
        Browser browser = new Browser();
        URI page = browser.location(browser.get(redirectUrl), redirectUrl);
        return browser.act(page, act);
    }

    /** What a redirect URL answers. */
    static int status(URI redirectUrl) {
        return new Browser().get(redirectUrl).statusCode();
    }

    /** Logs in to the portal with a personal number, opens the job that can be signed there, and does something. */
    static void portal(String number, long job, String act) {
        Browser browser = new Browser();
        URI portal = Sandbox.web("/portal");
        String csrf = browser.csrf(browser.get(portal).body());
        browser.location(browser.post(portal, "csrf=" + csrf + "&who=" + number), portal);
        browser.open(job, act);
    }

    /** Logs in with the code of the invitation that was sent to an address, and does something. */
    static void invited(String address, long job, String act) {
        Browser browser = new Browser();
        String inbox = browser.get(Sandbox.web("/inbox")).body();
        // The way to the invitation stands behind its code.
        Pattern pattern = Pattern.compile(Pattern.quote(address)
            + ".*?class=\"code\">([A-Z0-9]+)<.*?href=\"(/portal/invitation/(\\d+)/\\d+)\"");
        Matcher found = pattern.matcher(inbox);
        while (found.find()) {
            if (Long.parseLong(found.group(3)) == job) {
                URI page = Sandbox.web(found.group(2));
                String csrf = browser.csrf(browser.get(page).body());
                browser.location(browser.post(page, "csrf=" + csrf + "&code=" + found.group(1)), page);
                browser.open(job, act);
                return;
            }
        }
        throw new AssertionError("no invitation for " + address + " to job " + job);
    }

    /** Lets time pass in the sandbox. */
    static void advance(long seconds) {
        Browser browser = new Browser();
        String csrf = browser.csrf(browser.get(Sandbox.web("/")).body());
        URI advance = Sandbox.web("/advance");
        browser.location(browser.post(advance, "csrf=" + csrf + "&seconds=" + seconds), advance);
    }

    /** What the sandbox's clock says: tests move it. */
    static Instant clock() {
        String dashboard = new Browser().get(Sandbox.web("/")).body();
        Matcher found = Pattern.compile("(\\d{4}-\\d\\d-\\d\\d) (\\d\\d:\\d\\d:\\d\\d) UTC").matcher(dashboard);
        if (!found.find()) {
            throw new AssertionError("the dashboard has no clock");
        }
        return Instant.parse(found.group(1) + "T" + found.group(2) + "Z");
    }

    /** What the long-term storage calls a job's document, as the dashboard says. */
    static String archived(long job) {
        String dashboard = new Browser().get(Sandbox.web("/")).body();
        Matcher row = Pattern.compile("<tr><td>" + job + "</td>.*?</tr>").matcher(dashboard);
        Matcher id = Pattern.compile("<td><code>([^<]+)</code></td>").matcher(row.find() ? row.group() : "");
        if (!id.find()) {
            throw new AssertionError("job " + job + " is not archived");
        }
        return id.group(1);
    }

    private void open(long job, String act) {
        String jobs = get(Sandbox.web("/portal/jobs")).body();
        Pattern pattern = Pattern.compile("name=\"csrf\" value=\"([^\"]+)\"[^>]*>"
            + "<input type=\"hidden\" name=\"job\" value=\"" + job
            + "\"[^>]*><input type=\"hidden\" name=\"signer\" value=\"(\\d+)\"");
        Matcher found = pattern.matcher(jobs);
        if (!found.find()) {
            throw new AssertionError("job " + job + " cannot be opened");
        }
        URI open = Sandbox.web("/portal/open");
        String form = "csrf=" + found.group(1) + "&job=" + job + "&signer=" + found.group(2);
        act(location(post(open, form), open), act);
    }

    private URI act(URI page, String act) {
        HttpResponse<String> shown = get(page);
        if (shown.statusCode() != 200) {
            throw new AssertionError(page + ": " + shown.statusCode());
        }
        return location(post(page, "csrf=" + csrf(shown.body()) + "&act=" + act), page);
    }

    private URI location(HttpResponse<String> answer, URI from) {
        String location = answer.headers().firstValue("Location").orElseThrow(
            () -> new AssertionError(from + " leads nowhere: " + answer.statusCode()));
        return from.resolve(location);
    }

    private String csrf(String page) {
        Matcher found = Pattern.compile("name=\"csrf\" value=\"([^\"]+)\"").matcher(page);
        if (!found.find()) {
            throw new AssertionError("a page without a form");
        }
        return URLEncoder.encode(found.group(1), StandardCharsets.UTF_8);
    }

    private HttpResponse<String> get(URI uri) {
        return send(HttpRequest.newBuilder(uri).GET());
    }

    private HttpResponse<String> post(URI uri, String form) {
        return send(HttpRequest.newBuilder(uri).header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(form)));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (Exception exception) {
            throw new AssertionError(exception);
        }
    }
}
