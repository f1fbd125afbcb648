package io.bitloom.coordinator.pools;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import com.google.protobuf.ByteString;
import io.bitloom.coordinator.pools.PoolPolicy.Demand;
import io.bitloom.coordinator.pools.PoolPolicy.State;
import java.util.Optional;

/**
 * How a pool stands. Kept in the queue as JSON, where coordinators of other versions read it too.
 *
 * @param pool name of it
 * @param atMillis when this was found, by the time of the queue
 * @param backlogSeconds GPU-seconds of what waits and of what is leased and not done
 * @param unmeasured whether there is work of which nobody knows how long it takes
 * @param connected workers of the pool, at all coordinators
 * @param wanted workers
 * @param allNeededMillis as in {@link State}
 * @param neededSince as in {@link State}
 * @param active whether it needs a worker
 * @param pricePerGpuHour of a worker; 0: not said
 */
public record PoolStanding(
    String pool,
    long atMillis,
    double backlogSeconds,
    boolean unmeasured,
    int connected,
    int wanted,
    long allNeededMillis,
    int neededSince,
    boolean active,
    double pricePerGpuHour) {

  private static final Gson GSON = new Gson();

  static PoolStanding of(
      PoolTarget target, long atMillis, Demand demand, int connected, State state) {
    return new PoolStanding(
        target.pool(),
        atMillis,
        demand.seconds(),
        demand.unmeasured(),
        connected,
        state.held(),
        state.allNeededMillis(),
        state.neededSince(),
        state.held() > 0,
        target.pricePerGpuHour());
  }

  State state() {
    return new State(wanted, allNeededMillis, neededSince);
  }

  ByteString toBytes() {
    return ByteString.copyFromUtf8(GSON.toJson(new Kept(this)));
  }

  /** Empty for what is none. */
  static Optional<PoolStanding> parse(ByteString bytes) {
    try {
      return Optional.ofNullable(GSON.fromJson(bytes.toStringUtf8(), Kept.class))
          .map(Kept::standing);
    } catch (JsonParseException e) {
      return Optional.empty();
    }
  }

  /** Gson sets fields, which records do not allow. */
  private static final class Kept {
    private String pool = "";
    private long at;
    private double backlog;
    private boolean unmeasured;
    private int connected;
    private int wanted;
    private long allNeeded;
    private int neededSince;
    private boolean active;
    private double price;

    private Kept() {}

    Kept(PoolStanding standing) {
      pool = standing.pool();
      at = standing.atMillis();
      backlog = standing.backlogSeconds();
      unmeasured = standing.unmeasured();
      connected = standing.connected();
      wanted = standing.wanted();
      allNeeded = standing.allNeededMillis();
      neededSince = standing.neededSince();
      active = standing.active();
      price = standing.pricePerGpuHour();
    }

    PoolStanding standing() {
      return new PoolStanding(
          pool, at, backlog, unmeasured, connected, wanted, allNeeded, neededSince, active, price);
    }
  }
}
