package io.bitloom.common.doctor;

/**
 * What was found of one thing that Bitloom needs.
 *
 * @param name of the thing
 * @param found what it is like
 * @param advice what to do; empty if all is well
 */
public record Finding(String name, Status status, String found, String advice) {

  /** How much it matters. */
  public enum Status {
    OK,
    /** Works, for a while or not as well as it could. */
    WARN,
    /** Something will not work. */
    FAIL
  }

  public static Finding ok(String name, String found) {
    return new Finding(name, Status.OK, found, "");
  }

  public static Finding warn(String name, String found, String advice) {
    return new Finding(name, Status.WARN, found, advice);
  }

  public static Finding fail(String name, String found, String advice) {
    return new Finding(name, Status.FAIL, found, advice);
  }
}
