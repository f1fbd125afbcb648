package io.bitloom.coordinator.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.TrainingPicture;
import io.bitloom.v1.TrainingPoint;
import io.bitloom.v1.TrainingRun;
import io.bitloom.v1.TrainingState;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TrainingRunsTest {
  private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 1};

  private Instant now = Instant.EPOCH;
  private final TrainingRuns runs =
      new TrainingRuns(
          new Clock() {
            @Override
            public ZoneId getZone() {
              return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
              return this;
            }

            @Override
            public Instant instant() {
              return now;
            }
          });

  private static TrainingRun.Builder run(String id, String process, long step) {
    return TrainingRun.newBuilder()
        .setId(id)
        .setProcess(process)
        .setName("demo")
        .setMode("train")
        .setState(TrainingState.TRAINING_STATE_RUNNING)
        .setStep(step)
        .setSteps(100);
  }

  private TrainingRuns.Answer report(TrainingRun.Builder run) {
    return runs.report("", run.build(), Optional.empty());
  }

  @Test
  void aRunIsToldToStopUntilItHasAndAProcessThatResumesItIsNot() {
    assertFalse(report(run("a", "first", 1)).stop());
    assertTrue(runs.stop("a").stopping());
    assertTrue(report(run("a", "first", 2)).stop());
    report(run("a", "first", 2).setState(TrainingState.TRAINING_STATE_STOPPED));
    assertFalse(runs.get("a").stopping());
    BitloomException ended = assertThrows(BitloomException.class, () -> runs.stop("a"));
    assertEquals(ErrorCode.TRAINING_RUN_ENDED, ended.code());
    assertFalse(report(run("a", "second", 2)).stop());
  }

  @Test
  void theLastPictureStaysAndItsStepIsAnswered() {
    TrainingPicture picture =
        TrainingPicture.newBuilder().setStep(5).setPng(ByteString.copyFrom(PNG)).build();
    assertEquals(0, report(run("a", "p", 5)).pictureStep());
    assertEquals(5, runs.report("", run("a", "p", 6).build(), Optional.of(picture)).pictureStep());
    assertEquals(5, report(run("a", "p", 7)).pictureStep());
    assertEquals(picture, runs.get("a").picture().orElseThrow());
  }

  @Test
  void aRunThatDoesNotReportIsSilentAndRunningOnesComeFirst() {
    report(run("ended", "p", 100).setState(TrainingState.TRAINING_STATE_FINISHED));
    report(run("old", "p", 1));
    now = now.plusSeconds(30);
    report(run("new", "p", 1));
    assertEquals(
        List.of("new", "old", "ended"),
        runs.all().stream().map(known -> known.run().getId()).toList());
    assertTrue(runs.get("old").silent());
    assertFalse(runs.get("new").silent());
    assertFalse(runs.get("ended").silent());
  }

  @Test
  void ofManyRunsTheLatestAreKept() {
    for (int i = 0; i < 60; i++) {
      report(run("run-" + i, "p", 1));
    }
    assertEquals(50, runs.all().size());
    assertEquals(
        ErrorCode.TRAINING_RUN_NOT_FOUND,
        assertThrows(BitloomException.class, () -> runs.get("run-9")).code());
  }

  @Test
  void reportsThatAreNotWhatTheyShouldBeAreRefusedByField() {
    assertRefused("run.id", run("../a", "p", 1));
    assertRefused("run.process", run("a", "", 1));
    assertRefused("run", run("a", "p", 1).setName("x".repeat(201)));
    assertRefused("run.state", run("a", "p", 1).setStateValue(77));
    assertRefused("run.step", run("a", "p", 101));
    TrainingPoint point = TrainingPoint.newBuilder().setStep(1).setLoss(Double.NaN).build();
    assertRefused(
        "run.training", run("a", "p", 1).addAllTraining(Collections.nCopies(2001, point)));
    TrainingPicture text =
        TrainingPicture.newBuilder().setStep(1).setPng(ByteString.copyFromUtf8("<html>")).build();
    BitloomException fault =
        assertThrows(
            BitloomException.class,
            () -> runs.report("", run("a", "p", 1).build(), Optional.of(text)));
    assertEquals("picture.png", fault.violations().get(0).field());
    assertTrue(runs.all().isEmpty());
  }

  private void assertRefused(String field, TrainingRun.Builder run) {
    BitloomException fault = assertThrows(BitloomException.class, () -> report(run));
    assertEquals(field, fault.violations().get(0).field());
  }
}
