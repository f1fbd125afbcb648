package io.bitloom.coordinator.queue;

import java.util.concurrent.ThreadLocalRandom;
import net.jqwik.api.lifecycle.AroundPropertyHook;
import net.jqwik.api.lifecycle.PropagationMode;
import net.jqwik.api.lifecycle.PropertyExecutionResult;
import net.jqwik.api.lifecycle.PropertyExecutor;
import net.jqwik.api.lifecycle.PropertyLifecycleContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has each run of a property draw other sequences than the one before. The seed is said when it
 * begins, and again by jqwik if it fails; {@code -Dbitloom.test.seed=SEED} repeats that run.
 */
final class ExploresAnew implements AroundPropertyHook {

  private static final Logger LOG = LoggerFactory.getLogger(ExploresAnew.class);
  private static final String SEED = "bitloom.test.seed";

  @Override
  public PropagationMode propagateTo() {
    return PropagationMode.ALL_DESCENDANTS;
  }

  @Override
  public PropertyExecutionResult aroundProperty(
      PropertyLifecycleContext context, PropertyExecutor property) {
    String seed = System.getProperty(SEED, Long.toString(ThreadLocalRandom.current().nextLong()));
    context.attributes().setSeed(seed);
    LOG.info("{} is repeated by -D{}={}", context.label(), SEED, seed);
    return property.execute();
  }
}
