package io.bitloom.coordinator.dispatch.worker;

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
   * @return its session before
   */
  Optional<WorkerSession> put(WorkerSession session) {
    return Optional.ofNullable(sessions.put(session.workerId(), session));
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
