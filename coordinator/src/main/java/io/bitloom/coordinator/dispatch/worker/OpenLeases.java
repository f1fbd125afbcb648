package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.log.LogFields;
import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.Leases;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.v1.Heartbeat;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Release;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The leases that the worker of one session holds. Confined to the dispatch loop. */
final class OpenLeases {

  private static final Logger log = LoggerFactory.getLogger(OpenLeases.class);

  private static final int MOST_OVER = 16;

  private final DispatchLoop loop;
  private final WorkerStream stream;
  private final Leases queue;
  private final Map<String, OpenLease> leases = new LinkedHashMap<>();

  /** The last ones that are over: what still comes of their prompts is refused by name. */
  private final Map<String, OpenLease> over =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, OpenLease> eldest) {
          return size() > MOST_OVER;
        }
      };

  OpenLeases(DispatchLoop loop, WorkerStream stream, Leases queue) {
    this.loop = loop;
    this.stream = stream;
    this.queue = queue;
  }

  void add(OpenLease lease) {
    leases.put(lease.ref().id(), lease);
  }

  Collection<OpenLease> all() {
    return leases.values();
  }

  List<LeaseRef> refs() {
    return leases.values().stream().map(OpenLease::ref).toList();
  }

  Optional<OpenLease> find(String leaseId) {
    return Optional.ofNullable(leases.get(leaseId));
  }

  /**
   * The lease of this id; empty if the worker does not hold it, or no longer.
   *
   * @throws BitloomException {@code PERMISSION_DENIED} if the worker names what it holds with
   *     another token or secret than it was given out with
   */
  Optional<OpenLease> find(String leaseId, long fencingToken, String secret) {
    Optional<OpenLease> lease = find(leaseId);
    if (lease.isPresent() && !lease.get().isProvenBy(fencingToken, secret)) {
      throw new BitloomException(
          ErrorCode.PERMISSION_DENIED,
          "lease " + leaseId + " was given out with another fencing token or secret");
    }
    return lease;
  }

  /** Likewise, also if it was over not long ago: then nothing of it is open. */
  Optional<OpenLease> named(String leaseId, long fencingToken, String secret) {
    return find(leaseId, fencingToken, secret)
        .or(
            () ->
                Optional.ofNullable(over.get(leaseId))
                    .filter(lease -> lease.isProvenBy(fencingToken, secret)));
  }

  /**
   * Compares what the worker names with what it was given.
   *
   * @param duration of leases: one that is older and not named expires by itself
   * @return the leases to be renewed
   */
  List<LeaseRef> heartbeat(Heartbeat heartbeat, Duration duration) {
    Set<String> named = new HashSet<>();
    List<LeaseRef> renewed = new ArrayList<>();
    for (HeldLease held : heartbeat.getLeasesList()) {
      Optional<OpenLease> lease = find(held.getLeaseId(), held.getFencingToken(), held.getSecret());
      if (lease.isPresent()) {
        renewed.add(lease.get().ref());
        named.add(held.getLeaseId());
      } else {
        stream.send(WorkerMessages.lost(held.getLeaseId(), "it is not held by this worker"));
      }
    }
    long old = System.nanoTime() - duration.toNanos();
    leases
        .values()
        .removeIf(lease -> !named.contains(lease.ref().id()) && lease.grantedAt() - old < 0);
    return renewed;
  }

  /** A lease expired before it was renewed. */
  void lost(LeaseRef lease) {
    OpenLease expired = leases.remove(lease.id());
    if (expired != null) {
      expired.openTasks().forEach(expired::drop);
      over.put(lease.id(), expired);
      log.atInfo().addKeyValue(LogFields.LEASE, lease.id()).log("Lease {} is lost", lease.id());
      stream.send(WorkerMessages.lost(lease.id(), "it expired"));
    }
  }

  /**
   * Takes back what the worker holds of a job and has not reported: it stops at the next scale of a
   * batch that has nothing else, and what it reports all the same comes too late.
   */
  void stop(String jobId) {
    for (OpenLease lease : List.copyOf(leases.values())) {
      List<TaskRef> unwanted =
          lease.openTasks().stream().filter(task -> task.jobId().equals(jobId)).toList();
      if (!unwanted.isEmpty()) {
        unwanted.forEach(lease::drop);
        stream.send(WorkerMessages.lost(lease.ref().id(), unwanted, "the job was stopped"));
        forgetIfDone(lease);
        handBack(lease, unwanted);
      }
    }
  }

  /** The worker hands prompts back. */
  void release(Release release) {
    find(release.getLeaseId(), release.getFencingToken(), release.getLeaseSecret())
        .ifPresent(lease -> release(lease, release));
  }

  private void release(OpenLease lease, Release release) {
    List<TaskRef> named =
        release.getTasksCount() == 0
            ? lease.openTasks()
            : release.getTasksList().stream().map(WorkerMessages::ref).toList();
    List<TaskRef> dropped = named.stream().filter(lease::drop).toList();
    forgetIfDone(lease);
    handBack(lease, dropped);
  }

  /** Lets others draw prompts that the worker has not begun. */
  void handBack(OpenLease lease, Collection<TaskRef> tasks) {
    if (tasks.isEmpty()) {
      return;
    }
    List<TaskRef> now = List.copyOf(tasks);
    lease.goBack(now.size());
    loop.after(
        () -> queue.release(lease.ref(), now),
        (done, error) -> {
          lease.wentBack(now.size(), error == null);
          if (error != null) {
            DispatchLoop.report("release prompts", error);
          } else if (lease.finished()) {
            queue.finished(lease.ref());
          }
        });
  }

  void forgetIfDone(OpenLease lease) {
    if (lease.done() && leases.remove(lease.ref().id(), lease)) {
      over.put(lease.ref().id(), lease);
    }
  }
}
