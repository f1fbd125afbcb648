package io.bitloom.common.rules;

/** Pools of workers, each of which is scaled by itself. */
public final class Pools {

  /** Of workers that do not say of which pool they are. */
  public static final String DEFAULT = "default";

  private Pools() {}
}
