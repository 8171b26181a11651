import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import no.digipost.signature.client.core.Sender;
import no.digipost.signature.client.direct.DirectClient;
import no.digipost.signature.client.direct.DirectDocument;
import no.digipost.signature.client.direct.DirectJob;
import no.digipost.signature.client.direct.DirectJobStatusResponse;
import no.digipost.signature.client.direct.DirectSigner;
import no.digipost.signature.client.direct.ExitUrls;
import no.digipost.signature.client.direct.StatusRetrievalMethod;
import org.junit.jupiter.api.Test;

/**
 * What the client costs, in CPU time of this process: creating a job of 100 kB; then the poll, the signed PDF and the
 * confirmation. No test by its name: cli/benches/official_client.rs runs it, with the same for the crate.
 */
class Bench {
    private final DirectClient client = new DirectClient(Sandbox.configuration());
    private final Sender queue = Sandbox.queue();
    private final byte[] document = Sandbox.pdf();

    @Test
    void measure() throws Exception {
        int rounds = Integer.getInteger("bench.rounds");
        int jobs = Integer.getInteger("bench.jobs");
        // Until everything that is used often is compiled.
        for (int at = 0; at < Integer.getInteger("bench.warm_up"); at += jobs) {
            round(jobs);
        }
        long create = 0;
        long fetch = 0;
        for (int at = 0; at < rounds; at++) {
            long[] times = round(jobs);
            create += times[0];
            fetch += times[1];
        }
        double calls = 1000.0 * rounds * jobs;
        String memory = Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("VmHWM:")).findFirst().orElseThrow().replaceAll("\\D+", "");
        Files.writeString(Path.of(System.getProperty("bench.report")),
            create / calls + " " + fetch / calls + " " + Long.parseLong(memory) / 1024 + "\n");
    }

    /** CPU time in microseconds: creations, and what follows the signatures. */
    private long[] round(int jobs) {
        List<URI> redirects = new ArrayList<>();
        long start = cpu();
        for (int at = 0; at < jobs; at++) {
            DirectDocument page = DirectDocument.builder("Avtale", document).build();
            DirectSigner signer = DirectSigner.withCustomIdentifier("kari").build();
            ExitUrls exits = ExitUrls.singleExitUrl(URI.create("https://me.example/done"));
            DirectJob job = DirectJob.builder("Avtale", page, signer, exits).withSender(queue)
                .retrieveStatusBy(StatusRetrievalMethod.POLLING).build();
            redirects.add(client.create(job).getSingleSigner().getRedirectUrl());
        }
        long create = cpu() - start;
        redirects.forEach(redirect -> Browser.visit(redirect, "sign"));
        start = cpu();
        for (int at = 0; at < jobs; at++) {
            DirectJobStatusResponse done = client.getStatusChange(queue);
            if (Sandbox.read(client.getPAdES(done.getpAdESUrl())).length < document.length) {
                throw new AssertionError("a signed PDF without its document");
            }
            client.confirm(done);
        }
        return new long[] {create, cpu() - start};
    }

    private static long cpu() {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return system.getProcessCpuTime() / 1000;
    }
}
