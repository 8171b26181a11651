import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import no.digipost.signature.client.archive.ArchiveClient;
import no.digipost.signature.client.archive.ArchiveOwner;
import no.digipost.signature.client.core.OnBehalfOf;
import no.digipost.signature.client.core.Sender;
import no.digipost.signature.client.core.SignatureType;
import no.digipost.signature.client.core.exceptions.BrokerNotAuthorizedException;
import no.digipost.signature.client.core.exceptions.JobCannotBeCancelledException;
import no.digipost.signature.client.core.exceptions.NotCancellableException;
import no.digipost.signature.client.core.exceptions.SignatureException;
import no.digipost.signature.client.core.exceptions.TooEagerPollingException;
import no.digipost.signature.client.portal.Notifications;
import no.digipost.signature.client.portal.NotificationsUsingLookup;
import no.digipost.signature.client.portal.PortalClient;
import no.digipost.signature.client.portal.PortalDocument;
import no.digipost.signature.client.portal.PortalJob;
import no.digipost.signature.client.portal.PortalJobResponse;
import no.digipost.signature.client.portal.PortalJobStatus;
import no.digipost.signature.client.portal.PortalJobStatusChanged;
import no.digipost.signature.client.portal.PortalSigner;
import no.digipost.signature.client.portal.SignatureStatus;
import no.digipost.signature.client.portal.SignerIdentifier;
import org.junit.jupiter.api.Test;

/** The portal flow, and the archive. */
class PortalTest {
    private static final String KARI = "02020012345";
    private static final String RESERVED = "01010000001";

    private final PortalClient client = new PortalClient(Sandbox.configuration());

    private static PortalJob.Builder job(PortalSigner... signers) {
        PortalDocument document = PortalDocument.builder("Avtale om æøå", Sandbox.pdf()).build();
        return PortalJob.builder("Avtale & vilkår", List.of(document), List.of(signers));
    }

    private static PortalSigner kari() {
        return PortalSigner.identifiedByPersonalIdentificationNumber(KARI, NotificationsUsingLookup.EMAIL_ONLY).build();
    }

    private static SignerIdentifier number(String number) {
        return SignerIdentifier.identifiedByPersonalIdentificationNumber(number);
    }

    /** Not with Signature.is, which compares references in this version of the client. */
    private static void assertStatus(SignatureStatus status, PortalJobStatusChanged change, SignerIdentifier signer) {
        assertEquals(status, change.getSignatureFrom(signer).getStatus());
    }

    @Test
    void aJobFromCreationToConfirmation() {
        Sender queue = Sandbox.queue();
        PortalJobResponse created = client.create(job(kari()).withSender(queue).withReference("sak 2").build());
        assertEquals("sak 2", created.getReference());
        Browser.portal(KARI, created.getSignatureJobId(), "sign");
        PortalJobStatusChanged done = client.getStatusChange(queue);
        assertEquals(created.getSignatureJobId(), done.getSignatureJobId());
        assertEquals("sak 2", done.getReference());
        assertTrue(done.is(PortalJobStatus.COMPLETED_SUCCESSFULLY));
        assertStatus(SignatureStatus.SIGNED, done, number(KARI));
        assertTrue(done.isPAdESAvailable());
        byte[] pades = Sandbox.read(client.getPAdES(done.getpAdESUrl()));
        assertEquals("%PDF", new String(pades, 0, 4, StandardCharsets.US_ASCII));
        byte[] xades = Sandbox.read(client.getXAdES(done.getSignatureFrom(number(KARI)).getxAdESUrl()));
        assertTrue(new String(xades, StandardCharsets.UTF_8).contains("<LtvSdo"));
        client.confirm(done);
        client.confirm(done);
    }

    @Test
    void everyWayToAddressASigner() {
        Sender queue = Sandbox.queue();
        PortalSigner[] signers = {
            PortalSigner.identifiedByPersonalIdentificationNumber(
                "03030012345", Notifications.builder().withEmailTo("a@example.com").build()).build(),
            PortalSigner.identifiedByPersonalIdentificationNumber(
                "04040012345", Notifications.builder().withSmsTo("11111111").build())
                .onBehalfOf(OnBehalfOf.OTHER).build(),
            PortalSigner.identifiedByPersonalIdentificationNumber(
                "05050012345", Notifications.builder().withEmailTo("b@example.com").withSmsTo("22222222").build())
                .onBehalfOf(OnBehalfOf.SELF).build(),
            PortalSigner.identifiedByPersonalIdentificationNumber("06060012345", NotificationsUsingLookup.EMAIL_ONLY)
                .withSignatureType(SignatureType.AUTHENTICATED_SIGNATURE).build(),
            PortalSigner.identifiedByPersonalIdentificationNumber("07070012345", NotificationsUsingLookup.EMAIL_AND_SMS)
                .build(),
            PortalSigner.identifiedByEmail("c@example.com").build(),
            PortalSigner.identifiedByMobileNumber("33333333").build(),
            PortalSigner.identifiedByEmailAndMobileNumber("d@example.com", "44444444").build(),
        };
        long id = client.create(job(signers).withSender(queue).build()).getSignatureJobId();
        for (String number : List.of("03030012345", "04040012345", "05050012345", "06060012345", "07070012345")) {
            Browser.portal(number, id, "sign");
        }
        for (String address : List.of("c@example.com", "33333333", "d@example.com")) {
            Browser.invited(address, id, "sign");
        }
        PortalJobStatusChanged done = client.getStatusChange(queue);
        assertTrue(done.is(PortalJobStatus.COMPLETED_SUCCESSFULLY), String.valueOf(done));
        assertEquals(8, done.getSignatures().size());
        for (SignerIdentifier signer : List.of(
            number("03030012345"), number("07070012345"),
            SignerIdentifier.identifiedByEmailAddress("c@example.com"),
            SignerIdentifier.identifiedByMobileNumber("33333333"),
            SignerIdentifier.identifiedByEmailAddressAndMobileNumber("d@example.com", "44444444"))) {
            assertStatus(SignatureStatus.SIGNED, done, signer);
        }
        client.confirm(done);
    }

    @Test
    void signersTakeTurns() {
        Sender queue = Sandbox.queue();
        PortalSigner second = PortalSigner.identifiedByEmail("second@example.com").withOrder(2).build();
        PortalSigner first = PortalSigner.identifiedByEmail("first@example.com").withOrder(1).build();
        long id = client.create(job(second, first).withSender(queue).build()).getSignatureJobId();
        assertThrows(AssertionError.class, () -> Browser.invited("second@example.com", id, "sign"));
        Browser.invited("first@example.com", id, "sign");
        PortalJobStatusChanged waiting = client.getStatusChange(queue);
        assertTrue(waiting.is(PortalJobStatus.IN_PROGRESS));
        assertStatus(SignatureStatus.WAITING, waiting, SignerIdentifier.identifiedByEmailAddress("second@example.com"));
        client.confirm(waiting);
        Browser.invited("second@example.com", id, "sign");
        PortalJobStatusChanged done = client.getStatusChange(queue);
        assertTrue(done.is(PortalJobStatus.COMPLETED_SUCCESSFULLY));
        client.confirm(done);
    }

    @Test
    void anActivationTimeAndAnAvailability() {
        Sender queue = Sandbox.queue();
        PortalJob job = job(kari()).withSender(queue).withNonsensitiveTitle("Et dokument").withDescription("Viktig")
            .withActivationTime(Browser.clock().plus(Duration.ofDays(2))).availableFor(Duration.ofDays(3)).build();
        long id = client.create(job).getSignatureJobId();
        assertThrows(AssertionError.class, () -> Browser.portal(KARI, id, "sign"));
        Browser.advance(3 * 24 * 3600);
        assertTrue(client.getStatusChange(queue).is(PortalJobStatus.NO_CHANGES));
        Browser.advance(3 * 24 * 3600);
        PortalJobStatusChanged failed = client.getStatusChange(queue);
        assertTrue(failed.is(PortalJobStatus.FAILED));
        assertStatus(SignatureStatus.EXPIRED, failed, number(KARI));
        client.confirm(failed);
    }

    @Test
    void aRejectionAndAReservation() {
        Sender queue = Sandbox.queue();
        long id = client.create(job(kari()).withSender(queue).build()).getSignatureJobId();
        Browser.portal(KARI, id, "reject");
        PortalJobStatusChanged rejected = client.getStatusChange(queue);
        assertTrue(rejected.is(PortalJobStatus.FAILED));
        assertStatus(SignatureStatus.REJECTED, rejected, number(KARI));
        client.confirm(rejected);

        PortalSigner reserved = PortalSigner
            .identifiedByPersonalIdentificationNumber(RESERVED, NotificationsUsingLookup.EMAIL_AND_SMS).build();
        client.create(job(reserved).withSender(queue).build());
        PortalJobStatusChanged failed = client.getStatusChange(queue);
        assertTrue(failed.is(PortalJobStatus.FAILED));
        assertStatus(SignatureStatus.RESERVED, failed, number(RESERVED));
        assertFalse(failed.isPAdESAvailable());
        client.confirm(failed);
    }

    @Test
    void aJobIsCancelledWhileItWaits() {
        Sender queue = Sandbox.queue();
        PortalJobResponse created = client.create(job(kari()).withSender(queue).build());
        client.cancel(created);
        assertThrows(JobCannotBeCancelledException.class, () -> client.cancel(created));
        PortalJobStatusChanged cancelled = client.getStatusChange(queue);
        assertTrue(cancelled.is(PortalJobStatus.FAILED));
        assertStatus(SignatureStatus.CANCELLED, cancelled, number(KARI));
        assertThrows(NotCancellableException.class, () -> client.cancel(cancelled));
        client.confirm(cancelled);
        assertThrows(JobCannotBeCancelledException.class, () -> client.cancel(created));
    }

    @Test
    void aPollThatIsTooEarly() {
        Sender queue = Sandbox.queue();
        PortalJobStatusChanged nothing = client.getStatusChange(queue);
        assertTrue(nothing.is(PortalJobStatus.NO_CHANGES));
        assertNotNull(nothing.getNextPermittedPollTime());
        assertThrows(TooEagerPollingException.class, () -> client.getStatusChange(queue));
    }

    @Test
    void theDefaultQueue() {
        long id = client.create(job(kari()).build()).getSignatureJobId();
        Browser.portal(KARI, id, "sign");
        PortalJobStatusChanged done = client.getStatusChange();
        assertEquals(id, done.getSignatureJobId());
        client.confirm(done);
    }

    @Test
    void documentsAreDeletedADayAfterCompletion() {
        Sender queue = Sandbox.queue();
        long id = client.create(job(kari()).withSender(queue).build()).getSignatureJobId();
        Browser.portal(KARI, id, "sign");
        PortalJobStatusChanged done = client.getStatusChange(queue);
        // Not confirmed, it comes back.
        Browser.advance(25 * 3600);
        PortalJobStatusChanged later = client.getStatusChange(queue);
        assertEquals(done.getSignatureJobId(), later.getSignatureJobId());
        client.deleteDocuments(later.getDeleteDocumentsUrl());
        assertThrows(SignatureException.class, () -> client.getPAdES(done.getpAdESUrl()));
        client.confirm(later);
    }

    @Test
    void aBrokerWithoutRights() {
        PortalJob job = job(kari()).withSender(new Sender("987654321")).build();
        assertThrows(BrokerNotAuthorizedException.class, () -> client.create(job));
        assertThrows(BrokerNotAuthorizedException.class, () -> client.getStatusChange(new Sender("987654321")));
    }

    @Test
    void aDocumentFromTheArchive() {
        Sender queue = Sandbox.queue();
        long id = client.create(job(kari()).withSender(queue).build()).getSignatureJobId();
        Browser.portal(KARI, id, "sign");
        PortalJobStatusChanged done = client.getStatusChange(queue);
        ArchiveClient archive = new ArchiveClient(Sandbox.configuration());
        ArchiveOwner owner = ArchiveOwner.ofOrganizationNumber(Sandbox.ORGANIZATION);
        byte[] archived = Sandbox.read(archive.getPAdES(owner, Browser.archived(id)));
        assertArrayEquals(Sandbox.read(client.getPAdES(done.getpAdESUrl())), archived);
        client.confirm(done);
    }

    @Test
    void whatIsNotInTheArchive() {
        ArchiveClient archive = new ArchiveClient(Sandbox.configuration());
        ArchiveOwner owner = ArchiveOwner.ofOrganizationNumber(Sandbox.ORGANIZATION);
        assertThrows(SignatureException.class, () -> archive.getPAdES(owner, "4711"));
    }
}
