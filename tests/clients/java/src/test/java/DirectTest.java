import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import no.digipost.signature.client.core.AuthenticationLevel;
import no.digipost.signature.client.core.DocumentType;
import no.digipost.signature.client.core.IdentifierInSignedDocuments;
import no.digipost.signature.client.core.OnBehalfOf;
import no.digipost.signature.client.core.PAdESReference;
import no.digipost.signature.client.core.Sender;
import no.digipost.signature.client.core.SignatureType;
import no.digipost.signature.client.core.exceptions.BrokerNotAuthorizedException;
import no.digipost.signature.client.core.exceptions.InvalidStatusQueryTokenException;
import no.digipost.signature.client.core.exceptions.SignatureException;
import no.digipost.signature.client.core.exceptions.TooEagerPollingException;
import no.digipost.signature.client.direct.DirectClient;
import no.digipost.signature.client.direct.DirectDocument;
import no.digipost.signature.client.direct.DirectJob;
import no.digipost.signature.client.direct.DirectJobResponse;
import no.digipost.signature.client.direct.DirectJobStatus;
import no.digipost.signature.client.direct.DirectJobStatusResponse;
import no.digipost.signature.client.direct.DirectSigner;
import no.digipost.signature.client.direct.DirectSignerResponse;
import no.digipost.signature.client.direct.ExitUrls;
import no.digipost.signature.client.direct.SignerStatus;
import no.digipost.signature.client.direct.StatusReference;
import no.digipost.signature.client.direct.StatusRetrievalMethod;
import no.digipost.signature.client.direct.WithSignerUrl;
import org.junit.jupiter.api.Test;

/** The direct flow. */
class DirectTest {
    private static final String KARI = "01010012345";
    private static final URI DONE = URI.create("https://me.example/done?case=1");
    private static final URI REJECTED = URI.create("https://me.example/no");
    private static final URI FAILED = URI.create("https://me.example/oops");

    private final DirectClient client = new DirectClient(Sandbox.configuration());

    private static DirectJob.Builder job(DirectSigner... signers) {
        DirectDocument document = DirectDocument.builder("Avtale om æøå", Sandbox.pdf()).build();
        ExitUrls exits = ExitUrls.of(DONE, REJECTED, FAILED);
        return DirectJob.builder("Avtale & vilkår", List.of(document), List.of(signers), exits);
    }

    private static DirectSigner kari() {
        return DirectSigner.withPersonalIdentificationNumber(KARI).build();
    }

    private static DirectSigner custom(String identifier) {
        return DirectSigner.withCustomIdentifier(identifier).build();
    }

    private DirectJobStatusResponse status(DirectJobResponse job, URI back) {
        return client.getStatus(StatusReference.of(job).withStatusQueryToken(token(back)));
    }

    private static String token(URI back) {
        return back.getQuery().replaceFirst("(.*&)?status_query_token=", "");
    }

    @Test
    void aJobFromCreationToConfirmation() {
        DirectJobResponse created = client.create(job(kari()).withReference("sak 1").build());
        assertEquals("sak 1", created.getReference());
        assertTrue(created.getSingleSigner().hasIdentifier(KARI));
        URI back = Browser.visit(created.getSingleSigner().getRedirectUrl(), "sign");
        assertTrue(back.toString().startsWith(DONE.toString()), back.toString());

        DirectJobStatusResponse done = status(created, back);
        assertTrue(done.is(DirectJobStatus.COMPLETED_SUCCESSFULLY));
        assertEquals("sak 1", done.getReference());
        assertEquals(created.getSignatureJobId(), done.getSignatureJobId());
        assertTrue(done.getSignatureFrom(KARI).is(SignerStatus.SIGNED));
        assertTrue(done.isPAdESAvailable());
        byte[] pades = Sandbox.read(client.getPAdES(done.getpAdESUrl()));
        assertEquals("%PDF", new String(pades, 0, 4, StandardCharsets.US_ASCII));
        byte[] xades = Sandbox.read(client.getXAdES(done.getSignatureFrom(KARI).getxAdESUrl()));
        assertTrue(new String(xades, StandardCharsets.UTF_8).contains("<LtvSdo"));

        client.confirm(done);
        client.confirm(done);
        // From what was stored: the same file after the confirmation.
        PAdESReference stored = PAdESReference.of(URI.create(done.getpAdESUrl().getpAdESUrl().toString()));
        assertArrayEquals(pades, Sandbox.read(client.getPAdES(stored)));
    }

    @Test
    void aRedirectUrlWorksOnceAndANewOneCanBeHad() {
        DirectJobResponse created = client.create(job(kari()).build());
        URI first = created.getSingleSigner().getRedirectUrl();
        assertEquals(303, Browser.status(first));
        assertEquals(410, Browser.status(first));
        DirectSignerResponse second = client.requestNewRedirectUrl(created.getSingleSigner());
        assertNotEquals(first, second.getRedirectUrl());
        // From a stored URL, as a program does that has nothing else.
        URI signer = URI.create(created.getSingleSigner().getSignerUrl().toString());
        DirectSignerResponse third = client.requestNewRedirectUrl(WithSignerUrl.of(signer));
        assertNotEquals(second.getRedirectUrl(), third.getRedirectUrl());
        assertEquals(410, Browser.status(second.getRedirectUrl()));
        URI back = Browser.visit(third.getRedirectUrl(), "sign");
        assertTrue(status(created, back).is(DirectJobStatus.COMPLETED_SUCCESSFULLY));
    }

    @Test
    void aStatusFromAStoredUrl() {
        DirectJobResponse created = client.create(job(kari()).build());
        URI back = Browser.visit(created.getSingleSigner().getRedirectUrl(), "sign");
        URI stored = URI.create(created.getStatusUrl().toString());
        StatusReference reference = StatusReference.ofUrl(stored).withStatusQueryToken(token(back));
        assertTrue(client.getStatus(reference).is(DirectJobStatus.COMPLETED_SUCCESSFULLY));
        // And again, days after.
        assertTrue(client.getStatus(reference).is(DirectJobStatus.COMPLETED_SUCCESSFULLY));
    }

    @Test
    void aStatusBeforeTheSignerCameBackAndAWrongToken() {
        DirectJobResponse created = client.create(job(kari()).build());
        StatusReference wrong = StatusReference.of(created).withStatusQueryToken("nonsense");
        assertThrows(SignatureException.class, () -> client.getStatus(wrong));
        Browser.visit(created.getSingleSigner().getRedirectUrl(), "sign");
        assertThrows(InvalidStatusQueryTokenException.class, () -> client.getStatus(wrong));
    }

    @Test
    void aRejection() {
        DirectJobResponse created = client.create(job(kari(), custom("ola")).build());
        URI back = Browser.visit(created.getSignerIdentifiedBy(KARI).getRedirectUrl(), "reject");
        assertTrue(back.toString().startsWith(REJECTED.toString()), back.toString());
        DirectJobStatusResponse failed = status(created, back);
        assertTrue(failed.is(DirectJobStatus.FAILED));
        assertTrue(failed.getSignatureFrom(KARI).is(SignerStatus.REJECTED));
        assertTrue(failed.getSignatureFrom("ola").is(SignerStatus.NOT_APPLICABLE));
        assertFalse(failed.isPAdESAvailable());
        client.confirm(failed);
    }

    @Test
    void aFailure() {
        DirectJobResponse created = client.create(job(kari()).build());
        URI back = Browser.visit(created.getSingleSigner().getRedirectUrl(), "fail");
        assertTrue(back.toString().startsWith(FAILED.toString()), back.toString());
        DirectJobStatusResponse failed = status(created, back);
        assertTrue(failed.is(DirectJobStatus.FAILED));
        assertTrue(failed.getSignatureFrom(KARI).is(SignerStatus.FAILED));
        client.confirm(failed);
    }

    @Test
    void aJobThatNobodySignsExpires() {
        Sender queue = Sandbox.queue();
        DirectJob job = job(kari()).withSender(queue).retrieveStatusBy(StatusRetrievalMethod.POLLING).build();
        DirectJobResponse created = client.create(job);
        Browser.advance(31L * 24 * 3600);
        DirectJobStatusResponse failed = client.getStatusChange(queue);
        assertEquals(created.getSignatureJobId(), failed.getSignatureJobId());
        assertTrue(failed.is(DirectJobStatus.FAILED));
        assertTrue(failed.getSignatureFrom(KARI).is(SignerStatus.EXPIRED));
        client.confirm(failed);
    }

    @Test
    void oneOfTwoHasSigned() {
        DirectJobResponse created = client.create(job(kari(), custom("ola")).build());
        URI back = Browser.visit(created.getSignerIdentifiedBy("ola").getRedirectUrl(), "sign");
        DirectJobStatusResponse waiting = status(created, back);
        assertTrue(waiting.is(DirectJobStatus.IN_PROGRESS));
        assertTrue(waiting.getSignatureFrom("ola").is(SignerStatus.SIGNED));
        assertTrue(waiting.getSignatureFrom(KARI).is(SignerStatus.WAITING));
        assertTrue(waiting.isPAdESAvailable());
        assertNotNull(Sandbox.read(client.getPAdES(waiting.getpAdESUrl())));
        client.confirm(waiting);
        back = Browser.visit(created.getSignerIdentifiedBy(KARI).getRedirectUrl(), "sign");
        assertTrue(status(created, back).is(DirectJobStatus.COMPLETED_SUCCESSFULLY));
    }

    @Test
    void tenSignersAndTwentyDocumentsWithEverythingThatIsOptional() {
        DirectSigner[] signers = IntStream.range(0, 10)
            .mapToObj(at -> DirectSigner.withCustomIdentifier("Signatar nr. " + at + " <æ>")
                .withSignatureType(SignatureType.AUTHENTICATED_SIGNATURE)
                .onBehalfOf(at % 2 == 0 ? OnBehalfOf.SELF : OnBehalfOf.OTHER)
                .build())
            .toArray(DirectSigner[]::new);
        List<DirectDocument> documents = IntStream.range(0, 20)
            .mapToObj(at -> at == 7
                ? DirectDocument.builder("Tekst", "Hei æøå".getBytes(StandardCharsets.UTF_8))
                    .type(DocumentType.TXT).build()
                : DirectDocument.builder("Samme tittel", Sandbox.pdf()).build())
            .toList();
        DirectJob job = DirectJob.builder("Tittel", documents, List.of(signers), ExitUrls.singleExitUrl(DONE))
            .withDescription("Beskrivelse\nover to linjer")
            .requireAuthentication(AuthenticationLevel.FOUR)
            .withIdentifierInSignedDocuments(IdentifierInSignedDocuments.NAME)
            .build();
        DirectJobResponse created = client.create(job);
        assertEquals(10, created.getSigners().size());
        URI back = null;
        for (DirectSignerResponse signer : created.getSigners()) {
            back = Browser.visit(signer.getRedirectUrl(), "sign");
        }
        DirectJobStatusResponse done = status(created, back);
        assertTrue(done.is(DirectJobStatus.COMPLETED_SUCCESSFULLY));
        assertEquals(10, done.getSignatures().size());
        for (var signature : done.getSignatures()) {
            assertTrue(Sandbox.read(client.getXAdES(signature.getxAdESUrl())).length > 20 * Sandbox.pdf().length);
        }
        assertTrue(Sandbox.read(client.getPAdES(done.getpAdESUrl())).length > 0);
    }

    @Test
    void aQueueOfItsOwn() throws InterruptedException {
        Sender queue = Sandbox.queue();
        DirectJobStatusResponse nothing = client.getStatusChange(queue);
        assertTrue(nothing.is(DirectJobStatus.NO_CHANGES));
        assertNotNull(nothing.getNextPermittedPollTime());
        assertThrows(TooEagerPollingException.class, () -> client.getStatusChange(queue));
        Thread.sleep(2100);

        DirectJob job = job(kari()).withSender(queue).retrieveStatusBy(StatusRetrievalMethod.POLLING).build();
        DirectJobResponse created = client.create(job);
        assertNull(created.getStatusUrl());
        Browser.visit(created.getSingleSigner().getRedirectUrl(), "sign");
        DirectJobStatusResponse done = client.getStatusChange(queue);
        assertEquals(created.getSignatureJobId(), done.getSignatureJobId());
        assertTrue(done.is(DirectJobStatus.COMPLETED_SUCCESSFULLY));
        client.confirm(done);
        assertTrue(client.getStatusChange(queue).is(DirectJobStatus.NO_CHANGES));
    }

    @Test
    void theDefaultQueue() {
        DirectJobResponse created = client.create(job(kari()).retrieveStatusBy(StatusRetrievalMethod.POLLING).build());
        Browser.visit(created.getSingleSigner().getRedirectUrl(), "sign");
        DirectJobStatusResponse done = client.getStatusChange();
        assertEquals(created.getSignatureJobId(), done.getSignatureJobId());
        client.confirm(done);
    }

    @Test
    void documentsAreDeletedADayAfterCompletion() {
        DirectJobResponse created = client.create(job(kari()).build());
        URI back = Browser.visit(created.getSingleSigner().getRedirectUrl(), "sign");
        DirectJobStatusResponse done = status(created, back);
        Browser.advance(25 * 3600);
        DirectJobStatusResponse later = status(created, back);
        assertNotNull(later.getDeleteDocumentsUrl());
        client.deleteDocuments(later.getDeleteDocumentsUrl());
        assertThrows(SignatureException.class, () -> client.getPAdES(done.getpAdESUrl()));
    }

    @Test
    void aBrokerWithoutRights() {
        DirectJob job = job(kari()).withSender(new Sender("987654321")).build();
        assertThrows(BrokerNotAuthorizedException.class, () -> client.create(job));
    }
}
