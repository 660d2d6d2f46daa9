import Deployment
import Foundation
import LinuxHost
import OakumEngine
import OakumModel
import Recycling

extension OakumConfiguration {
    /// What the engine has to know.
    var engine: EngineConfiguration {
        EngineConfiguration(
            services: services.map(\.watched), observeOnly: observeOnly, version: OakumVersion.current,
            hostAlerts: response.hostAlerts)
    }
}

extension ServiceSettings {
    var watched: ServiceConfiguration {
        let pool = PoolSettings(
            desired: workers, capacityFloor: recycle.capacityFloor, readyWithin: readyWithin,
            minimumHealthy: minimumHealthy, minimumInterval: recycle.minimumInterval,
            atMostPerHour: recycle.atMostPerHour)
        return ServiceConfiguration(
            name: name, budget: ByteCount(budgetBytes), pool: pool, healthPath: healthPath,
            trigger: RecycleTrigger(lead: recycle.lead, budgetShare: recycle.atPercent / 100),
            samplesHeap: heap.sampler, alerts: alerts, deploys: releases?.deploys)
    }
}

extension ServiceSettings {
    /// How the keeper runs its workers.
    ///
    /// - Parameters:
    ///   - state: the state folder.
    ///   - sampler: the sampler's library.
    func kept(state: String, sampler: String?) -> KeptService {
        var own = Self.inherited.merging(environment) { _, own in own }
        if heap.sampler, let sampler {
            own["LD_PRELOAD"] = [sampler, own["LD_PRELOAD"]].compactMap(\.self).joined(separator: ":")
            own["OAKUM_HEAP_FILE"] = heapFiles(state: state).pattern
            own["OAKUM_HEAP_MEAN_BYTES"] = "\(heap.sampleEveryBytes)"
            if heap.readable { own["OAKUM_HEAP_PTRACER"] = "any" }
        }
        return KeptService(
            name: name, command: command, environment: own,
            folder: directory, listen: "\(listen)", user: user, stopDeadline: recycle.drainDeadline + 5,
            releases: releases.map { _ in releaseFolder(state: state) }, releaseCommand: releases?.command,
            logCap: ByteCount(logBytes))
    }

    func releaseFolder(state: String) -> String { releases?.folder ?? "\(state)/releases/\(name)" }

    /// Nil for a service that takes no releases.
    func releaseSite(state: String) -> ReleaseSite? {
        releases.map { releases in
            ReleaseSite(
                folder: releaseFolder(state: state), publicKey: releases.publicKey, hook: releases.hook,
                hookSeconds: releases.hookSeconds, environment: environment, tests: releases.tests)
        }
    }

    func heapFiles(state: String) -> HeapFiles {
        HeapFiles(folder: heap.folder ?? state + "/heap", service: name)
    }

    /// What workers get of our own environment: enough to find programs and to speak a language, no secrets by chance.
    private static var inherited: [String: String] {
        let names = [
            "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "ASAN_OPTIONS", "LSAN_OPTIONS",
            "TSAN_OPTIONS",
        ]
        let own = ProcessInfo.processInfo.environment
        return own.filter { names.contains($0.key) }
    }
}
