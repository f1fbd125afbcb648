package io.bitloom.training.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A scalar field of a configuration file: the default and the range of a record's component. */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.PARAMETER, ElementType.RECORD_COMPONENT})
public @interface ConfigField {
  /** The value of a field that is not there, as in the file; empty for null. */
  String value() default "";

  /** Whether the field must be there. */
  boolean required() default false;

  /** The least number. */
  double least() default 0;

  /** The largest number. */
  double most() default Double.POSITIVE_INFINITY;
}
