package io.bitloom.coordinator.redis;

import io.bitloom.common.config.ConfigException;
import java.util.Locale;

/**
 * Something about a Redis that endangers what it is given.
 *
 * @param weight what it means for a coordinator
 * @param node where it is
 * @param setting what it is about, as Redis calls it
 * @param found its value
 * @param wanted what it must be, and why; follows the setting's name
 */
record RedisFinding(Weight weight, String node, String setting, String found, String wanted) {

  enum Weight {
    /** It must not work with this Redis. */
    REFUSED,
    /** Likewise, but this passes by itself when a replica has taken over. */
    FAILOVER,
    WARNED
  }

  boolean refused() {
    return weight != Weight.WARNED;
  }

  ConfigException refusal() {
    return new ConfigException("redis", found, "at " + node + ": " + setting + " " + wanted);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "Redis at %s: %s %s, not \"%s\"", node, setting, wanted, found);
  }
}
