package io.bitloom.common.cli;

import java.util.logging.Level;
import java.util.logging.Logger;

/** The log of gRPC itself, which goes to standard error and not where programs log to. */
public final class GrpcLog {

  /** Kept, for the levels of loggers that nobody holds are forgotten. */
  private static final Logger CHANNELS = Logger.getLogger("io.grpc.internal.ManagedChannelImpl");

  private GrpcLog() {}

  /** A host that cannot be resolved is said by the program, in a line; gRPC has a page for it. */
  public static void leaveFailuresToTheProgram() {
    CHANNELS.setLevel(Level.SEVERE);
  }
}
