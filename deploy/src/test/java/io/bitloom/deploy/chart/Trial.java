package io.bitloom.deploy.chart;

import io.bitloom.deploy.chart.Manifests.Pods;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Volume;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Renderings of a trial, and what tests look for in one. */
final class Trial {

  static final String COORDINATOR = "pictures-bitloom-coordinator";
  static final String WORKER = "pictures-bitloom-worker-";
  static final String S3 = "results: {bucket: pictures}\ns3: {region: us-east-1}";

  private Trial() {}

  static Manifests trial(String... values) {
    return Chart.rendered("insecure: true\n" + String.join("\n", values));
  }

  static String settings(Manifests manifests) {
    return manifests.one(ConfigMap.class, COORDINATOR).getData().get("coordinator.yaml");
  }

  static boolean hasSetting(Manifests manifests, String name, String value) {
    return settings(manifests).lines().anyMatch((name + ": \"" + value + "\"")::equals);
  }

  static Container only(Manifests manifests, String name) {
    return manifests.pods(name).containers().get(0);
  }

  static EnvVar variable(Container container, String name) {
    return container.getEnv().stream()
        .filter(variable -> variable.getName().equals(name))
        .findFirst()
        .orElse(null);
  }

  static Set<String> kinds(Manifests manifests) {
    return manifests.objects().stream()
        .map(HasMetadata::getKind)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  static Volume volume(Pods pods, String name) {
    return pods.spec().getVolumes().stream()
        .filter(volume -> volume.getName().equals(name))
        .findFirst()
        .orElse(null);
  }
}
