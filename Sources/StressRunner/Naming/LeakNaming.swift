import HeapInspection
import HeapProfile
import LeakTrial
import OakumModel
import ProcessReadings

/// Where the memory that stays was allocated, of what type it is, and who holds it.
package struct NamedSite: Hashable, Sendable, Codable {
    /// "function (file:line)".
    package var site: String
    package var function: String
    package var file: String?
    package var line: Int?
    package var type: String?
    /// From what the program starts at to the block.
    package var chain: [String]
    package var bytesPerOperation: Double
    package var fingerprint: String

    private enum CodingKeys: String, CodingKey {
        case site, function, file, line, type, chain, fingerprint
        case bytesPerOperation = "bytes_per_request"
    }
}

/// Runs a guilty endpoint again with every allocation recorded, and subtracts two images of the heap.
struct LeakNaming {
    let settings: StressSettings
    let sender: any OperationSending
    let target: RunningTarget
    /// At most so many sites.
    static let limit = 5

    struct Result: Sendable {
        var sites: [NamedSite] = []
        /// What is missing and why.
        var remarks: [String] = []
    }

    /// Takes some seconds, a core, and some hundred MiB.
    func run(arm: Arm, perCycle: Int, bytesPerOperation: Double) async throws(StressProblem) -> Result {
        let warm = min(max(perCycle, 50), 2_000)
        // Free lists and tables fill up first, as in the trial; three seconds at most.
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(3)
        var warmed = 0
        while warmed < 1_500 || warmed < 3 * warm, clock.now < deadline {
            _ = try await sender.send(warm, arm: .sameKeys)
            warmed += warm
        }
        if arm == .freshKeys { _ = try await sender.send(warm, arm: .freshKeys) }
        let before = images()
        // Enough that what grows stands out; at most a million records of live blocks.
        let count = min(max(perCycle * 4, 500), 20_000)
        var sent = 0.0
        for _ in 0..<4 { sent += Double(try await sender.send(count / 4, arm: arm).sent) }
        let after = images()
        guard !after.isEmpty, sent > 0 else {
            return Result(remarks: ["the sampler is not in the program (a static one?): nothing can be named"])
        }
        return await named(before, after, operations: sent, least: bytesPerOperation)
    }

    private func images() -> [Int32: HeapImage] {
        let family = ProcessFamily(root: target.member)?.members ?? []
        var result: [Int32: HeapImage] = [:]
        for member in family {
            // A process without a sampler has no file; one that is damaged says nothing.
            guard let image = try? HeapFile.read(target.heapFile(of: member.pid), isAlive: true) else { continue }
            result[member.pid] = image
        }
        return result
    }

    @concurrent
    private func named(
        _ before: [Int32: HeapImage], _ after: [Int32: HeapImage], operations: Double, least: Double
    ) async -> Result {
        var result = Result()
        var found: [(growth: Double, site: NamedSite)] = []
        for (pid, image) in after {
            guard let earlier = before[pid], image.live.count > 0 else { continue }
            var limits = HeapCapture.Limits()
            limits.time = .seconds(20)
            limits.sites = 0
            // Names first: only then is it known which sites grew, and whose holders are worth a search.
            let names = HeapCapture.capture(
                image, isAlive: true, heapFile: target.heapFile(of: pid), limits: limits)
            let growth = HeapGrowth(from: HeapProfile(earlier, frames: names.frames), to: names.profile)
            let guilty = growth.sites.prefix(Self.limit).filter {
                $0.bytes.estimate / operations > max(1, least / 50) && $0.after != nil
            }
            guard !guilty.isEmpty else { continue }
            let chains = self.chains(image, pid, Set(guilty.map(\.fingerprint)), earlier: earlier)
            result.remarks += chains.remarks.filter { !result.remarks.contains($0) }
            for site in guilty {
                guard let after = site.after else { continue }
                let fresh = chains.chains[site.fingerprint.text]?.first?.chain.path ?? []
                found.append(
                    (
                        site.bytes.estimate,
                        NamedSite(
                            site: after.label, function: after.frame?.function ?? after.label, file: after.frame?.file,
                            line: after.frame?.line, type: after.types.first?.type, chain: fresh,
                            bytesPerOperation: site.bytes.estimate / operations, fingerprint: site.fingerprint.text)
                    ))
            }
        }
        result.sites = found.sorted { $0.growth > $1.growth }.prefix(Self.limit).map(\.site)
        if result.sites.isEmpty { result.remarks.append("no site grew with the requests when it was run again") }
        return result
    }

    /// Holders of the blocks that came, for the sites that grew: what was there before is left out of the image.
    private func chains(
        _ image: HeapImage, _ pid: Int32, _ guilty: Set<Fingerprint>, earlier: HeapImage
    ) -> (chains: [String: [TypeSnapshot.SiteChain]], remarks: [String]) {
        var grown = image
        let known = Set(earlier.live.map { [$0.address, $0.bornNanoseconds] })
        grown.live = image.live.filter { !known.contains([$0.address, $0.bornNanoseconds]) }
        var limits = HeapCapture.Limits()
        limits.time = .seconds(20)
        limits.sites = Self.limit
        limits.blocksPerSite = 6
        limits.holders.levels = 24
        let capture = HeapCapture.capture(grown, isAlive: true, heapFile: target.heapFile(of: pid), limits: limits)
        return (capture.snapshot.chains, capture.remarks)
    }
}
