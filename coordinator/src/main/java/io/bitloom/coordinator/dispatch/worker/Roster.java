package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The last session of every worker that is connected here, or was a moment ago. Confined to the
 * dispatch loop.
 */
final class Roster {

  /** Why nobody is taken in any more. */
  static final String CLOSED = "this coordinator stops";

  private final Map<String, WorkerSession> sessions = new LinkedHashMap<>();
  private boolean closed;

  /** In no order that matters. */
  Collection<WorkerSession> sessions() {
    return List.copyOf(sessions.values());
  }

  /**
   * Takes a worker in.
   *
   * @return its session before, if this is the same process
   * @throws BitloomException {@code PERMISSION_DENIED} or {@code WORKER_ID_TAKEN} if the id is
   *     another one's
   */
  Optional<WorkerSession> put(WorkerSession session) {
    Optional<WorkerSession> namesake = Optional.ofNullable(sessions.get(session.workerId()));
    namesake.ifPresent(before -> checkId(session, before));
    sessions.put(session.workerId(), session);
    return namesake.filter(session::isSameProcess);
  }

  private static void checkId(WorkerSession session, WorkerSession before) {
    String id = FieldViolation.shown(session.workerId());
    if (!session.isOfSameToken(before)) {
      throw new BitloomException(
          ErrorCode.PERMISSION_DENIED, "worker \"" + id + "\" belongs to another token");
    }
    if (before.connected() && !session.isSameProcess(before)) {
      throw new BitloomException(
          ErrorCode.WORKER_ID_TAKEN,
          "another process is connected as worker \"" + id + "\"; ids must be unique");
    }
  }

  /** Whether this is still the worker's last session. */
  boolean has(WorkerSession session) {
    return sessions.get(session.workerId()) == session;
  }

  /** Takes a session off, if it is still its worker's last one. */
  boolean remove(WorkerSession session) {
    return sessions.remove(session.workerId(), session);
  }

  /** From now on nobody is taken in, and who leaves is left alone. */
  void close() {
    closed = true;
  }

  boolean closed() {
    return closed;
  }
}
