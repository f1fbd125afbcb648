package io.bitloom.client.doctor;

import io.bitloom.common.doctor.Examination;
import io.bitloom.common.doctor.Finding;
import io.bitloom.common.doctor.Setup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Optional;

/** Whether a coordinator could listen, or which process does. */
public final class PortsExamination implements Examination {

  private static final String COORDINATOR = "io.bitloom.coordinator.Main";

  @Override
  public List<Finding> examine(Setup setup) {
    return List.of(
        judged("grpc port", "--grpc-port", setup.grpcPort()),
        judged("http port", "--http-port", setup.httpPort()));
  }

  private static Finding judged(String name, String option, int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return Finding.ok(name, port == 0 ? "any" : port + " is free");
    } catch (IOException e) {
      return taken(name, option, port, Listeners.of(port));
    }
  }

  private static Finding taken(
      String name, String option, int port, Optional<ProcessHandle> holder) {
    if (holder.isEmpty()) {
      return Finding.fail(
          name,
          port + " belongs to a process that cannot be seen from here",
          "end it, or take another port: " + option);
    }
    String command = holder.get().info().commandLine().orElse("?");
    if (command.contains(COORDINATOR)) {
      return Finding.ok(
          name, port + " is that of a coordinator that runs, process " + holder.get().pid());
    }
    return Finding.fail(
        name,
        port + " belongs to process " + holder.get().pid() + " (" + shortened(command) + ")",
        "end it, or take another port: " + option);
  }

  private static String shortened(String command) {
    int most = 80;
    return command.length() <= most ? command : command.substring(0, most - 1) + "…";
  }
}
