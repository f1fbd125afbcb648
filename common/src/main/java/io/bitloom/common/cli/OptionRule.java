package io.bitloom.common.cli;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says of a command where some of its options have an effect. Elsewhere they are refused, so that
 * nobody waits for an effect that does not come; {@link Usage#prepare} sees to that.
 *
 * <p>A condition is the name of an option, {@code --dry-run}, or a name and a value, {@code
 * --mode=train}, which may be the default.
 */
@Documented
@Repeatable(OptionRules.class)
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface OptionRule {

  /** In {@link #options}: all that a command has, but for those that its conditions name. */
  String ALL = "*";

  /** Names of the options. */
  String[] options();

  /** Options that are not meant by {@link #ALL}. */
  String[] except() default {};

  /** At least one of these must hold. */
  String[] onlyWith() default {};

  /** None of these may hold. */
  String[] notWith() default {};

  /** If one of these holds, the rule does not. */
  String[] unless() default {};
}
