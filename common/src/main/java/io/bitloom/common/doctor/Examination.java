package io.bitloom.common.doctor;

import java.util.List;

/**
 * Looks at something of this machine that a program needs. Every program brings its own, as a
 * service of {@link java.util.ServiceLoader}; {@code ./bitloom doctor} makes them all.
 */
public interface Examination {

  /** Tries it; what does not work is a finding and no exception. */
  List<Finding> examine(Setup setup);
}
