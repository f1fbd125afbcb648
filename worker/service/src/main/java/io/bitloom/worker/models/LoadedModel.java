package io.bitloom.worker.models;

import io.bitloom.engine.Engine;
import io.bitloom.v1.ModelState;
import io.bitloom.v1.VersionState;
import java.util.regex.Pattern;

/**
 * A version that the cluster wants this worker to have, and how it stands with it. Guarded by the
 * {@link WorkerModels} that it is of.
 */
final class LoadedModel {

  /** Coordinators take one line. */
  private static final Pattern NO_TEXT =
      Pattern.compile("[\\p{Cntrl}\\p{Cf}\\p{Cs}\\u2028\\u2029]+");

  private static final int MOST_LETTERS = 300;

  private final String version;
  private VersionState state = VersionState.VERSION_STATE_PULLING;
  private String reason = "";
  private long received;
  private long size;

  /** Whether the cluster wants it. */
  boolean wanted = true;

  /** It was never in memory since the cluster wanted it: others make room for it. */
  boolean fresh = true;

  /** In memory; null: it is not. */
  Engine engine;

  /** Its files; null: they are not there, or not in use. */
  ModelCache.Held files;

  /** Bytes that it takes in memory. */
  long memory;

  /** Leases that the worker holds of it. */
  int leases;

  /** When it was wanted or used last, by the worker's count of such times. */
  long used;

  /** Failures to bring it since it was there. */
  int failures;

  /** When it was told last how far its files are. */
  long toldNanos = System.nanoTime();

  LoadedModel(String version) {
    this.version = version;
  }

  String version() {
    return version;
  }

  VersionState state() {
    return state;
  }

  boolean ready() {
    return state == VersionState.VERSION_STATE_READY;
  }

  void is(VersionState now, String why) {
    state = now;
    String line = NO_TEXT.matcher(why).replaceAll(" ");
    reason = line.length() <= MOST_LETTERS ? line : line.substring(0, MOST_LETTERS) + "…";
  }

  void received(long bytes, long of) {
    received = bytes;
    size = of;
  }

  void receivedAll() {
    received = size;
  }

  /** Without what is drawn with it. */
  ModelState message() {
    return ModelState.newBuilder()
        .setVersion(version)
        .setState(state)
        .setReceivedBytes(received)
        .setSizeBytes(size)
        .setReason(reason)
        .build();
  }
}
