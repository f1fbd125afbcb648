package io.bitloom.common.cli;

import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The logs of gRPC and of OpenTelemetry's exporter, which go to standard error and not where
 * programs log to.
 */
public final class GrpcLog {

  /** Kept, for the levels of loggers that nobody holds are forgotten. */
  private static final Logger CHANNELS = Logger.getLogger("io.grpc.internal.ManagedChannelImpl");

  private static final Logger EXPORTER = Logger.getLogger("io.opentelemetry.exporter");

  private GrpcLog() {}

  /**
   * A host that cannot be resolved is said by the program, in a line; gRPC has a page for it. Spans
   * that are lost are said likewise.
   */
  public static void leaveFailuresToTheProgram() {
    CHANNELS.setLevel(Level.SEVERE);
    EXPORTER.setLevel(Level.OFF);
  }
}
