package io.bitloom.deploy.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.bitloom.coordinator.pools.PoolTarget;
import io.bitloom.deploy.ProgramContainer;
import io.bitloom.deploy.ProgramContainer.Request;
import io.bitloom.deploy.Programs;
import io.bitloom.deploy.chart.Manifests.Pods;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the chart asks of the programs, they can do. */
class ChartProgramsTest {

  /** Metadata of a trigger that KEDA reads itself, or that says who asks. */
  private static final Set<String> OF_KEDA = Set.of("scalerAddress", "enableTLS", "tokenFromEnv");

  static Set<String> combinations() {
    return Chart.combinations().keySet();
  }

  @ParameterizedTest
  @MethodSource("combinations")
  void everyOptionVariablePortAndPathIsOneOfThePrograms(String combination) {
    Manifests manifests = Chart.rendered(Chart.combinations().get(combination));
    List<ProgramContainer> containers = containers(manifests);
    assertFalse(containers.isEmpty());
    assertEquals(
        List.of(),
        containers.stream().flatMap(container -> Programs.faults(container).stream()).toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {"keda", "mutual-tls"})
  void whatTheScalerIsToldItUnderstands(String combination) {
    Map<String, Object> scaled =
        Chart.rendered(Chart.combinations().get(combination)).custom("ScaledObject").get(0);
    Map<String, String> metadata = new HashMap<>();
    Yamls.map(Yamls.at(scaled, "spec", "triggers", 0, "metadata"))
        .forEach((key, value) -> metadata.put(key, (String) value));
    metadata.keySet().removeAll(OF_KEDA);
    PoolTarget target = PoolTarget.of("metadata", metadata);
    assertEquals(metadata.get("pool"), target.pool());
    assertEquals(Yamls.at(scaled, "spec", "maxReplicaCount"), target.most());
  }

  /** All containers with Bitloom's own images. */
  static List<ProgramContainer> containers(Manifests manifests) {
    return manifests.pods().stream()
        .filter(pods -> !pods.kind().equals("StatefulSet"))
        .flatMap(
            pods -> pods.containers().stream().map(container -> read(manifests, pods, container)))
        .toList();
  }

  private static ProgramContainer read(Manifests manifests, Pods pods, Container container) {
    Map<String, String> variables = new LinkedHashMap<>();
    for (EnvVar variable : container.getEnv()) {
      variables.put(
          variable.getName(),
          variable.getValueFrom() == null ? variable.getValue() : Programs.SECRET);
    }
    String component = pods.labels().get("app.kubernetes.io/component");
    return new ProgramContainer(
        image(component, container),
        container.getArgs(),
        variables,
        container.getPorts().stream()
            .map(ContainerPort::getContainerPort)
            .collect(Collectors.toSet()),
        requests(manifests, component, container),
        files(manifests, pods, container));
  }

  /** An image of another name is the one whose place it takes. */
  private static String image(String component, Container container) {
    String name = container.getImage().replaceFirst("[@:][^/]*$", "").replaceFirst(".*/", "");
    return name.startsWith("bitloom-") ? name : "bitloom-" + component;
  }

  private static List<Request> requests(
      Manifests manifests, String component, Container container) {
    List<Request> requests = new ArrayList<>();
    Stream.of(
            container.getStartupProbe(),
            container.getLivenessProbe(),
            container.getReadinessProbe())
        .filter(probe -> probe != null)
        .map(Probe::getHttpGet)
        .forEach(
            get ->
                requests.add(
                    new Request(
                        PodRules.number(container, get.getPort()),
                        get.getPath(),
                        "HTTPS".equals(get.getScheme()))));
    for (Map<String, Object> monitor : manifests.custom("PodMonitor")) {
      Object selector = Yamls.at(monitor, "spec", "selector", "matchLabels");
      if (component.equals(Yamls.at(selector, "app.kubernetes.io/component"))) {
        Object endpoint = Yamls.at(monitor, "spec", "podMetricsEndpoints", 0);
        String port = (String) Yamls.at(endpoint, "port");
        requests.add(
            new Request(
                PodRules.number(container, new IntOrString(port)),
                (String) Yamls.at(endpoint, "path"),
                "https".equals(Yamls.at(endpoint, "scheme"))));
      }
    }
    return requests;
  }

  private static Map<String, String> files(Manifests manifests, Pods pods, Container container) {
    Map<String, String> folders = new HashMap<>();
    for (VolumeMount mount : container.getVolumeMounts()) {
      folders.put(mount.getName(), mount.getMountPath());
    }
    Map<String, String> files = new HashMap<>();
    pods.spec().getVolumes().stream()
        .filter(volume -> volume.getConfigMap() != null)
        .forEach(
            volume ->
                manifests
                    .one(ConfigMap.class, volume.getConfigMap().getName())
                    .getData()
                    .forEach(
                        (name, text) ->
                            files.put(folders.get(volume.getName()) + "/" + name, text)));
    return files;
  }
}
