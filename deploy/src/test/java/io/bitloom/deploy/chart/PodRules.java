package io.bitloom.deploy.chart;

import io.bitloom.deploy.chart.Manifests.Pods;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What every pod of the chart has to be like. */
final class PodRules {

  private final Pods pods;
  private final List<String> faults = new ArrayList<>();

  private PodRules(Pods pods) {
    this.pods = pods;
  }

  static List<String> faults(Pods pods) {
    PodRules rules = new PodRules(pods);
    rules.check();
    return rules.faults;
  }

  private void fault(String what) {
    faults.add(pods.kind() + " " + pods.name() + ": " + what);
  }

  private void require(boolean fulfilled, String what) {
    if (!fulfilled) {
      fault(what);
    }
  }

  private void check() {
    PodSpec spec = pods.spec();
    require(
        pods.containers().stream().anyMatch(it -> it.getArgs().contains("--pod-deletion-cost"))
            || Boolean.FALSE.equals(spec.getAutomountServiceAccountToken()),
        "has a token of the cluster that it does not need");
    require(
        Boolean.FALSE.equals(spec.getEnableServiceLinks()),
        "has variables of Services, which the programs take for settings");
    require(
        !Boolean.TRUE.equals(spec.getHostNetwork())
            && !Boolean.TRUE.equals(spec.getHostPID())
            && !Boolean.TRUE.equals(spec.getHostIPC()),
        "shares a name space of its node");
    require(spec.getInitContainers().isEmpty(), "has containers that no rule looks at");
    checkVolumes(spec.getVolumes());
    spec.getContainers().forEach(this::check);
  }

  private void checkVolumes(List<Volume> volumes) {
    List<String> names = volumes.stream().map(Volume::getName).toList();
    require(new HashSet<>(names).size() == names.size(), "volumes have the same name: " + names);
    require(volumes.stream().allMatch(it -> it.getHostPath() == null), "sees its node's files");
    Set<String> mounted =
        pods.containers().stream()
            .flatMap(it -> it.getVolumeMounts().stream())
            .map(VolumeMount::getName)
            .collect(Collectors.toSet());
    names.stream()
        .filter(name -> !mounted.contains(name))
        .forEach(name -> fault("volume " + name + " is mounted nowhere"));
  }

  private void check(Container container) {
    checkSecurity(container);
    require(
        container.getResources().getRequests().containsKey("cpu")
            && container.getResources().getRequests().containsKey("memory")
            && container.getResources().getLimits().containsKey("memory"),
        "has no requests or no limit of memory");
    require(
        container.getImage().matches("[^:@ ]+(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})"),
        "image " + container.getImage() + " has neither tag nor digest");
    if (!pods.kind().equals("Pod")) {
      checkProbe(container, "startup", container.getStartupProbe());
      checkProbe(container, "liveness", container.getLivenessProbe());
      checkProbe(container, "readiness", container.getReadinessProbe());
    }
    checkMounts(container);
    List<String> variables = container.getEnv().stream().map(it -> it.getName()).toList();
    require(
        new HashSet<>(variables).size() == variables.size(),
        "variables are there twice: " + variables);
  }

  private void checkSecurity(Container container) {
    SecurityContext own = container.getSecurityContext();
    PodSecurityContext all = pods.spec().getSecurityContext();
    require(Boolean.FALSE.equals(own.getAllowPrivilegeEscalation()), "may get more rights");
    require(Boolean.TRUE.equals(own.getReadOnlyRootFilesystem()), "may write to its root");
    require(List.of("ALL").equals(own.getCapabilities().getDrop()), "has capabilities");
    require(Boolean.TRUE.equals(all.getRunAsNonRoot()), "may run as root");
    require("RuntimeDefault".equals(all.getSeccompProfile().getType()), "has no seccomp profile");
  }

  private void checkProbe(Container container, String name, Probe probe) {
    if (probe == null) {
      fault("has no " + name + " probe");
      return;
    }
    long actions =
        Stream.of(probe.getHttpGet(), probe.getTcpSocket(), probe.getExec(), probe.getGrpc())
            .filter(it -> it != null)
            .count();
    require(actions == 1, "its " + name + " probe does " + actions + " things");
    if (probe.getHttpGet() != null) {
      require(
          declares(container, probe.getHttpGet().getPort()),
          "its " + name + " probe asks at a port that it does not declare");
    }
    if (probe.getTcpSocket() != null) {
      require(
          declares(container, probe.getTcpSocket().getPort()),
          "its " + name + " probe knocks at a port that it does not declare");
    }
  }

  /** Whether a container declares a port, by its name or number. */
  static boolean declares(Container container, IntOrString port) {
    return container.getPorts().stream().anyMatch(it -> is(it, port));
  }

  /** The number of a port that a container declares. */
  static int number(Container container, IntOrString port) {
    return container.getPorts().stream()
        .filter(it -> is(it, port))
        .findFirst()
        .orElseThrow()
        .getContainerPort();
  }

  private static boolean is(ContainerPort declared, IntOrString port) {
    return port.getStrVal() != null
        ? port.getStrVal().equals(declared.getName())
        : port.getIntVal().equals(declared.getContainerPort());
  }

  private void checkMounts(Container container) {
    Set<String> volumes =
        Stream.concat(
                pods.spec().getVolumes().stream().map(Volume::getName),
                pods.kind().equals("StatefulSet") ? Stream.of("data") : Stream.empty())
            .collect(Collectors.toSet());
    Set<String> paths = new HashSet<>();
    for (VolumeMount mount : container.getVolumeMounts()) {
      require(volumes.contains(mount.getName()), "there is no volume " + mount.getName());
      require(paths.add(mount.getMountPath()), mount.getMountPath() + " is mounted twice");
    }
  }
}
