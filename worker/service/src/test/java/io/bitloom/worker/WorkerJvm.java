package io.bitloom.worker;

import io.bitloom.engine.ChildJvm;
import java.io.IOException;
import java.util.List;

/** Runs the worker's commands in processes of their own. */
public final class WorkerJvm {

  private WorkerJvm() {}

  /** Runs {@code bitloom} with these arguments, with its standard input open. */
  public static ChildJvm start(String... arguments) throws IOException {
    return ChildJvm.start(Main.class, List.of("-Xmx256m"), arguments);
  }
}
