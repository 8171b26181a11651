import java.io.FileInputStream;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import no.digipost.signature.client.ClientConfiguration;
import no.digipost.signature.client.ServiceEnvironment;
import no.digipost.signature.client.core.PollingQueue;
import no.digipost.signature.client.core.Sender;
import no.digipost.signature.client.security.KeyStoreConfig;

/** The sandbox that runs, as the properties of the test run tell. Set up as its README says. */
final class Sandbox {
    static final String ORGANIZATION = "123456789";
    private static final Path FILES = Path.of(property("sandbox.files"));

    static ClientConfiguration configuration() {
        try (InputStream archive = new FileInputStream(FILES.resolve("client.p12").toFile())) {
            KeyStoreConfig identity = KeyStoreConfig.fromOrganizationCertificate(archive, "sandbox");
            URI root = URI.create(property("sandbox.api"));
            return ClientConfiguration.builder(identity)
                .serviceEnvironment(new ServiceEnvironment("Sandbox", root, List.of(FILES.resolve("roots").toString())))
                .defaultSender(new Sender(ORGANIZATION))
                .build();
        } catch (java.io.IOException exception) {
            throw new AssertionError(exception);
        }
    }

    /** The sender with a queue of its own, so that tests do not take each other's changes. */
    static Sender queue() {
        return new Sender(ORGANIZATION, PollingQueue.of("kø " + UUID.randomUUID()));
    }

    static URI web(String path) {
        return URI.create(property("sandbox.web") + path);
    }

    static byte[] read(InputStream stream) {
        try (stream) {
            return stream.readAllBytes();
        } catch (java.io.IOException exception) {
            throw new AssertionError(exception);
        }
    }

    /** A document with one page. */
    static byte[] pdf() {
        try (InputStream document = new FileInputStream(FILES.resolve("document.pdf").toFile())) {
            return document.readAllBytes();
        } catch (java.io.IOException exception) {
            throw new AssertionError(exception);
        }
    }

    private static String property(String name) {
        String value = System.getProperty(name);
        if (value == null) {
            throw new AssertionError("the property " + name + " is not set");
        }
        return value;
    }
}
