package io.bitloom.deploy;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a manifest, of whatever kind, says of a container with one of Bitloom's images.
 *
 * @param image its name without registry, tag and digest: {@code bitloom-worker}
 * @param arguments of the program
 * @param variables of its environment; {@link Programs#SECRET} is the value of what only the
 *     cluster knows
 * @param ports that it is said to listen on
 * @param requests what others ask its HTTP port for
 * @param files that the manifest brings along, by their paths in the container
 */
public record ProgramContainer(
    String image,
    List<String> arguments,
    Map<String, String> variables,
    Set<Integer> ports,
    List<Request> requests,
    Map<String, String> files) {

  /**
   * A GET, of a probe or of Prometheus.
   *
   * @param secured whether by TLS
   */
  public record Request(int port, String path, boolean secured) {}
}
