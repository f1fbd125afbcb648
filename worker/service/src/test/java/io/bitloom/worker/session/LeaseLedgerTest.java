package io.bitloom.worker.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.TaskRef;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class LeaseLedgerTest {
  private static final TaskRef FIRST = TaskRef.newBuilder().setJob("jobs/a").setOffset(0).build();
  private static final TaskRef SECOND = TaskRef.newBuilder().setJob("jobs/a").setOffset(1).build();

  private static final ByteString FILE = ByteString.copyFromUtf8("a file");

  private final LeaseLedger held = new LeaseLedger();

  LeaseLedgerTest() {
    held.add(Lease.newBuilder().setLeaseId("lease").setFencingToken(7).build());
    held.add("lease", FIRST, null);
    held.add("lease", SECOND, null);
  }

  @Test
  void anOutcomeIsSentOncePerConnectionUntilItIsAcknowledged() {
    Outcome outcome = outcome(FIRST);
    held.finished(outcome);
    assertEquals(List.of(outcome), held.nextUnsent());
    assertEquals(List.of(), held.nextUnsent());

    held.sendAllAgain(false);
    assertEquals(List.of(outcome), held.nextUnsent());

    held.acknowledged("lease", FIRST);
    held.sendAllAgain(false);
    assertEquals(List.of(), held.nextUnsent());
  }

  @Test
  void smallOutcomesGoTogetherAndLargeOnesAlone() {
    Outcome small = outcome(FIRST);
    GeneratedImage image =
        GeneratedImage.newBuilder().setData(ByteString.copyFrom(new byte[70 << 10])).build();
    Outcome large =
        outcome(SECOND).toBuilder()
            .setImages(GeneratedImages.newBuilder().addImages(image))
            .build();
    held.finished(small);
    held.finished(large);
    assertEquals(List.of(small), held.nextUnsent());
    assertEquals(List.of(large), held.nextUnsent());

    Outcome other = outcome(SECOND);
    held.acknowledged("lease", SECOND);
    held.add("lease", SECOND, null);
    held.finished(other);
    held.sendAllAgain(false);
    assertEquals(List.of(small, other), held.nextUnsent());
  }

  @Test
  void anOutcomeThatWaitsToBeSentIsDroppedWithItsLease() {
    held.finished(outcome(FIRST));
    held.giveUp("lease", List.of());
    assertEquals(List.of(), held.nextUnsent());
    held.finished(outcome(SECOND));
    assertEquals(List.of(), held.nextUnsent());
    assertTrue(held.isEmpty());
    assertEquals(0, held.unacknowledgedBytes());
  }

  @Test
  void bytesCountFromTheOutcomeToItsAcknowledgement() {
    Outcome outcome = outcome(FIRST);
    held.finished(outcome);
    assertEquals(outcome.getSerializedSize(), held.unacknowledgedBytes());
    held.nextUnsent();
    assertEquals(outcome.getSerializedSize(), held.unacknowledgedBytes());
    held.acknowledged("lease", FIRST);
    assertEquals(0, held.unacknowledgedBytes());
  }

  @Test
  void aLeaseNamesItsTokenAndOnlyItsOpenPrompts() {
    held.acknowledged("lease", FIRST);
    HeldLease message = held.toMessages().get(0);
    assertEquals("lease", message.getLeaseId());
    assertEquals(7, message.getFencingToken());
    assertEquals(List.of(SECOND), message.getTasksList());
    held.acknowledged("lease", SECOND);
    assertEquals(List.of(), held.toMessages());
  }

  @Test
  void imagesAreUploadedBeforeTheirOutcomeIsSentUnlessThatCannotBe() {
    held.sendAllAgain(true);
    Outcome first =
        outcome(FIRST).toBuilder().setImages(images(image -> image.setData(FILE))).build();
    Outcome second = first.toBuilder().setTask(SECOND).build();
    held.finished(first);
    held.finished(second);
    assertEquals(List.of(), held.nextUnsent());
    assertEquals(Optional.of(first), held.nextUnstored());
    assertEquals(Optional.of(second), held.nextUnstored());
    assertEquals(Optional.empty(), held.nextUnstored());

    Outcome named = first.toBuilder().setImages(images(image -> image.setUri("a"))).build();
    held.uploaded(named);
    held.notUploaded(second);
    assertEquals(List.of(named, second), held.nextUnsent());
    assertEquals(
        named.getSerializedSize() + second.getSerializedSize(), held.unacknowledgedBytes());

    held.sendAllAgain(true);
    assertEquals(Optional.empty(), held.nextUnstored());
    assertEquals(List.of(named, second), held.nextUnsent());
  }

  private static GeneratedImages images(Consumer<GeneratedImage.Builder> content) {
    GeneratedImage.Builder image = GeneratedImage.newBuilder();
    content.accept(image);
    return GeneratedImages.newBuilder().addImages(image).build();
  }

  private static Outcome outcome(TaskRef task) {
    return Outcome.newBuilder().setLeaseId("lease").setFencingToken(7).setTask(task).build();
  }
}
