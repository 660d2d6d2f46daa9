import Foundation
import LinuxHost
import OakumEngine
import OakumModel
import Recycling

extension OakumConfiguration {
    /// What the engine has to know.
    var engine: EngineConfiguration {
        EngineConfiguration(
            services: services.map(\.watched), observeOnly: observeOnly, version: OakumVersion.current)
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
            trigger: RecycleTrigger(lead: recycle.lead, budgetShare: recycle.atPercent / 100))
    }
}

extension ServiceSettings {
    /// How the keeper runs its workers.
    var kept: KeptService {
        KeptService(
            name: name, command: command, environment: Self.inherited.merging(environment) { _, own in own },
            folder: directory, listen: "\(listen)", user: user, stopDeadline: recycle.drainDeadline + 5,
            logCap: ByteCount(logBytes))
    }

    /// What workers get of our own environment: enough to find programs and to speak a language, no secrets by chance.
    private static var inherited: [String: String] {
        let names = [
            "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "ASAN_OPTIONS", "TSAN_OPTIONS",
        ]
        let own = ProcessInfo.processInfo.environment
        return own.filter { names.contains($0.key) }
    }
}
