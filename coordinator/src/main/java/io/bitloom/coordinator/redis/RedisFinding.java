package io.bitloom.coordinator.redis;

import io.bitloom.common.config.ConfigException;
import java.util.Locale;

/**
 * Something about a Redis that endangers what it is given.
 *
 * @param refused whether a coordinator must not work with it, or only warns
 * @param node where it is
 * @param setting what it is about, as Redis calls it
 * @param found its value
 * @param wanted what it must be, and why; follows the setting's name
 */
record RedisFinding(boolean refused, String node, String setting, String found, String wanted) {

  ConfigException refusal() {
    return new ConfigException("redis", found, "at " + node + ": " + setting + " " + wanted);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "Redis at %s: %s %s, not \"%s\"", node, setting, wanted, found);
  }
}
