package import Diagnosis
import OakumModel
import Synchronization

/// Sorts the lines of each service's workers into templates, for diagnoses. Called off the engine: a flood takes
/// milliseconds.
package final class LogMining: Sendable {
    /// Half an hour in steps of five seconds. At most 0.7 MiB a service, whatever is logged.
    package static let limits = MinerLimits(
        templates: 128, alike: 32, words: 32, lineBytes: 768, wordBytes: 48, bucketSeconds: 5, buckets: 360,
        likeness: 0.6)
    /// Lines of further services, those that come last, are not looked at.
    package static let serviceLimit = 16

    private let miners = Mutex<[String: TemplateMiner]>([:])

    package init() {}

    /// - Parameter seconds: when they were read, which is within seconds of when they were written.
    @concurrent
    package func add(_ harvest: LogHarvest, at seconds: Double) async {
        for chunk in harvest.chunks {
            miners.withLock { miners in
                let service = chunk.worker.service
                guard miners[service] != nil || miners.count < Self.serviceLimit else { return }
                Self.add(chunk.bytes, to: &miners[service, default: TemplateMiner(limits: Self.limits)], at: seconds)
            }
        }
    }

    /// All templates of a service with their counts; empty when nothing was logged.
    package func patterns(of service: String) -> [LogPattern] {
        miners.withLock { $0[service]?.patterns ?? [] }
    }

    private static func add(_ bytes: [UInt8], to miner: inout TemplateMiner, at seconds: Double) {
        let span = bytes.span
        var start = 0
        for index in span.indices where span[index] == UInt8(ascii: "\n") {
            miner.add(span.extracting(start..<index), at: seconds)
            start = index + 1
        }
    }
}
