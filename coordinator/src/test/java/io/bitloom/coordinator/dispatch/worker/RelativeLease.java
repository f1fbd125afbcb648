package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.common.grpc.LeasedTasks;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.IndexRange;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeaseOutcomes;
import io.bitloom.v1.LeaseVerdicts;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.Release;
import io.bitloom.v1.TaskFailure;
import io.bitloom.v1.TaskRef;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** A lease of form 2, and what a test says of it. */
record RelativeLease(Lease lease) {

  /** Indexes of prompts by what became of their outcomes, in ascending order. */
  record Verdicts(List<Integer> committed, List<Integer> superseded) {

    static Verdicts of(List<Integer> committed, Integer... superseded) {
      return new Verdicts(committed, List.of(superseded));
    }

    Verdicts and(LeaseVerdicts more) {
      return new Verdicts(
          and(committed, more.getCommittedList()), and(superseded, more.getSupersededList()));
    }

    int count() {
      return committed.size() + superseded.size();
    }

    private static List<Integer> and(List<Integer> indexes, List<IndexRange> ranges) {
      List<Integer> all = new ArrayList<>(indexes);
      for (IndexRange range : ranges) {
        for (int i = 0; i < range.getCount(); i++) {
          all.add(range.getFirst() + i);
        }
      }
      all.sort(null);
      return all;
    }
  }

  /** Names of its prompts by their indexes. */
  List<TaskRef> refs() {
    return LeasedTasks.refs(lease);
  }

  /** The same lease as somebody else might know it. */
  RelativeLease with(Consumer<Lease.Builder> change) {
    Lease.Builder changed = lease.toBuilder();
    change.accept(changed);
    return new RelativeLease(changed.build());
  }

  LeaseOutcomes outcomes(PromptOutcome... outcomes) {
    return LeaseOutcomes.newBuilder()
        .setLeaseId(lease.getLeaseId())
        .setFencingToken(lease.getFencingToken())
        .setLeaseSecret(lease.getSecret())
        .addAllOutcomes(List.of(outcomes))
        .setBatchImages(LeasedTasks.count(lease))
        .build();
  }

  /** One image for each of these prompts, in one message. */
  LeaseOutcomes drawn(Integer... indexes) {
    return outcomes(
        Stream.of(indexes)
            .map(index -> image(index, "image " + index))
            .toArray(PromptOutcome[]::new));
  }

  static PromptOutcome image(int index, String content) {
    return PromptOutcome.newBuilder()
        .setIndex(index)
        .setImages(GeneratedImages.newBuilder().addImages(ScriptedWorker.image(content)))
        .build();
  }

  static PromptOutcome failure(int index, boolean retryable) {
    return PromptOutcome.newBuilder()
        .setIndex(index)
        .setFailure(TaskFailure.newBuilder().setReason("BROKEN").setRetryable(retryable))
        .build();
  }

  /** Names these prompts of the lease after a reconnect. */
  HeldLease held(Integer... indexes) {
    List<TaskRef> refs = refs();
    return HeldLease.newBuilder()
        .setLeaseId(lease.getLeaseId())
        .setFencingToken(lease.getFencingToken())
        .setSecret(lease.getSecret())
        .addAllTasks(Stream.of(indexes).map(refs::get).toList())
        .addAllIndexes(List.of(indexes))
        .build();
  }

  Release release(int index) {
    return Release.newBuilder()
        .setLeaseId(lease.getLeaseId())
        .setFencingToken(lease.getFencingToken())
        .setLeaseSecret(lease.getSecret())
        .addTasks(refs().get(index))
        .build();
  }
}
