package io.bitloom.worker.session;

import io.bitloom.engine.PromptWork;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.Release;
import io.bitloom.v1.TaskRef;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The worker's ledger: every prompt that it holds, from its lease until the coordinator has
 * acknowledged the outcome. Confined to the session's thread.
 */
final class LeaseLedger {

  /** A prompt, the work on it (unless it was refused at once), and then its outcome. */
  private static final class Held {
    PromptWork work; // until it has its outcome
    Outcome outcome;
    boolean inline; // its images could not be uploaded
    boolean gone;

    Held(PromptWork work) {
      this.work = work;
    }
  }

  private record HeldTasks(Lease lease, Map<TaskRef, Held> tasks) {

    HeldLease toMessage() {
      return HeldLease.newBuilder()
          .setLeaseId(lease.getLeaseId())
          .setFencingToken(lease.getFencingToken())
          .setSecret(lease.getSecret())
          .setModel(lease.getModel())
          .setSchedule(lease.getSchedule())
          .addAllTasks(tasks.keySet())
          .build();
    }
  }

  /** Outcomes of so many bytes cost more as messages than as bytes. */
  private static final long SMALL_BYTES = 64 << 10;

  private final Map<String, HeldTasks> leases = new LinkedHashMap<>();
  private final Deque<Held> unsent = new ArrayDeque<>();
  private final Deque<Held> unstored = new ArrayDeque<>();
  private boolean uploads;
  private long unacknowledgedBytes;

  boolean isEmpty() {
    return leases.isEmpty();
  }

  /** Size of the outcomes that wait for their acknowledgement, sent or not. */
  long unacknowledgedBytes() {
    return unacknowledgedBytes;
  }

  /** Takes a lease into the ledger, without its prompts' names. */
  void add(Lease lease) {
    leases.put(
        lease.getLeaseId(),
        new HeldTasks(lease.toBuilder().clearTasks().build(), new LinkedHashMap<>()));
  }

  /**
   * Adds a prompt to a lease.
   *
   * @param work null for a prompt that is not going to be drawn
   */
  void add(String leaseId, TaskRef task, PromptWork work) {
    leases.get(leaseId).tasks.put(task, new Held(work));
  }

  /** Keeps an outcome until it is acknowledged, unless its prompt was given up. */
  void finished(Outcome outcome) {
    find(outcome.getLeaseId(), outcome.getTask())
        .ifPresent(
            held -> {
              held.outcome = outcome;
              held.work = null; // and with it the pixels
              unacknowledgedBytes += outcome.getSerializedSize();
              queue(held);
            });
  }

  /** The images of an outcome are in the result store: what names them is sent instead. */
  void uploaded(Outcome outcome) {
    find(outcome.getLeaseId(), outcome.getTask())
        .ifPresent(
            held -> {
              unacknowledgedBytes += outcome.getSerializedSize() - held.outcome.getSerializedSize();
              held.outcome = outcome;
              queue(held);
            });
  }

  /** The images of an outcome are to be sent with it, from now on. */
  void notUploaded(Outcome outcome) {
    find(outcome.getLeaseId(), outcome.getTask())
        .ifPresent(
            held -> {
              held.inline = true;
              queue(held);
            });
  }

  private void queue(Held held) {
    (uploads && !held.inline && carriesBytes(held.outcome) ? unstored : unsent).add(held);
  }

  private static boolean carriesBytes(Outcome outcome) {
    return outcome.getImages().getImagesList().stream().anyMatch(GeneratedImage::hasData);
  }

  /** The next outcome whose images have to be uploaded before it is sent. */
  Optional<Outcome> nextUnstored() {
    while (!unstored.isEmpty()) {
      Held held = unstored.remove();
      if (!held.gone) {
        return Optional.of(held.outcome);
      }
    }
    return Optional.empty();
  }

  /**
   * The next outcomes that this connection has not seen: as many as are small together, or one;
   * none if there are none.
   */
  List<Outcome> nextUnsent() {
    List<Outcome> next = new ArrayList<>();
    long bytes = 0;
    for (Held held = unsent.peek(); held != null; held = unsent.peek()) {
      if (!held.gone) {
        bytes += held.outcome.getSerializedSize();
        if (!next.isEmpty() && bytes > SMALL_BYTES) {
          break;
        }
        next.add(held.outcome);
      }
      unsent.remove();
    }
    return next;
  }

  /**
   * On a new connection every outcome that was not acknowledged is sent again.
   *
   * @param uploads whether images are uploaded before
   */
  void sendAllAgain(boolean uploads) {
    this.uploads = uploads;
    unsent.clear();
    unstored.clear();
    for (HeldTasks lease : leases.values()) {
      lease.tasks.values().stream().filter(held -> held.outcome != null).forEach(this::queue);
    }
  }

  /** Forgets a prompt whose outcome is settled. */
  void acknowledged(String leaseId, TaskRef task) {
    giveUp(leaseId, List.of(task));
  }

  /**
   * Forgets prompts; what the device has not drawn of them yet, it does not draw.
   *
   * @param tasks empty: the whole lease
   */
  void giveUp(String leaseId, Collection<TaskRef> tasks) {
    HeldTasks lease = leases.get(leaseId);
    if (lease == null) {
      return;
    }
    for (TaskRef task : tasks.isEmpty() ? List.copyOf(lease.tasks.keySet()) : tasks) {
      Held held = lease.tasks.remove(task);
      if (held != null) {
        forget(held);
      }
    }
    if (lease.tasks.isEmpty()) {
      leases.remove(leaseId);
    }
  }

  private void forget(Held held) {
    held.gone = true;
    if (held.work != null) {
      held.work.abandon();
    }
    if (held.outcome != null) {
      unacknowledgedBytes -= held.outcome.getSerializedSize();
    }
  }

  /** Takes every prompt that the device has not started out of pipeline and ledger. */
  List<Release> releaseUnstarted(String reason) {
    List<Release> releases = new ArrayList<>();
    for (HeldTasks lease : List.copyOf(leases.values())) {
      List<TaskRef> unstarted = new ArrayList<>();
      lease.tasks.forEach(
          (task, held) -> {
            if (held.work != null && held.work.withdraw()) {
              unstarted.add(task);
            }
          });
      if (!unstarted.isEmpty()) {
        giveUp(lease.lease.getLeaseId(), unstarted);
        releases.add(
            Release.newBuilder()
                .setLeaseId(lease.lease.getLeaseId())
                .setFencingToken(lease.lease.getFencingToken())
                .setLeaseSecret(lease.lease.getSecret())
                .addAllTasks(unstarted)
                .setReason(reason)
                .build());
      }
    }
    return releases;
  }

  /** All leases with their open prompts, for Hello and heartbeats. */
  List<HeldLease> toMessages() {
    return leases.values().stream().map(HeldTasks::toMessage).toList();
  }

  private Optional<Held> find(String leaseId, TaskRef task) {
    return Optional.ofNullable(leases.get(leaseId)).map(lease -> lease.tasks.get(task));
  }
}
