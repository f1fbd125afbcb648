package io.bitloom.common.cli;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What a whole number given to an option or parameter, or each of a list of them, has to be. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.FIELD)
public @interface Range {

  /** The largest port of TCP. */
  int LAST_PORT = 65_535;

  /** The smallest number that is allowed. */
  long min();

  /** The largest number that is allowed. */
  long max() default Long.MAX_VALUE;

  /** Numbers beyond these that stand for "not given". */
  long[] also() default {};
}
