package io.bitloom.loadtests.process;

import io.bitloom.coordinator.Main;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Coordinators that share a program: its compilers have the same work for one and for many. */
final class ManyCoordinators {

  private ManyCoordinators() {}

  /**
   * Runs coordinators until standard input ends.
   *
   * @param arguments the ports files of all, separated by commas, then the options of all
   */
  public static void main(String[] arguments) {
    List<String> options = Arrays.asList(arguments).subList(1, arguments.length);
    for (String portsFile : arguments[0].split(",")) {
      List<String> all = new ArrayList<>(options);
      all.add("--ports-file=" + portsFile);
      new Thread(() -> Main.main(all.toArray(String[]::new)), portsFile).start();
    }
  }
}
