package import OakumModel

/// What changed between two profiles, by site: largest growth first.
///
/// Of one process, only what came and what went counts: blocks that are in both images cancel out and add nothing to the
/// uncertainty. Of two processes (another worker, another release) the images have nothing in common but fingerprints.
package struct HeapGrowth: Hashable, Sendable {
    package var sites: [SiteGrowth]
    package var total: Estimate
    /// Between the images; nil when they are of two processes.
    package var seconds: Double?

    package init(from before: HeapProfile, to after: HeapProfile) {
        let sameProcess = before.image.process.identity == after.image.process.identity
        seconds = sameProcess ? after.image.observed - before.image.observed : nil
        let known = sameProcess ? Set(before.image.live.map(BlockIdentity.init)) : []
        let still = sameProcess ? Set(after.image.live.map(BlockIdentity.init)) : []
        let confidence = after.confidence
        func sums(_ site: Site?, _ image: HeapImage, without common: Set<BlockIdentity>) -> WeightedSum {
            var sum = WeightedSum()
            for index in site?.records ?? [] where !common.contains(BlockIdentity(image.live[index])) {
                sum.add(bytesOf: image.live[index])
            }
            return sum
        }
        let old = Dictionary(before.sites.map { ($0.fingerprint, $0) }) { first, _ in first }
        let new = Dictionary(after.sites.map { ($0.fingerprint, $0) }) { first, _ in first }
        let gone = before.sites.filter { new[$0.fingerprint] == nil }
        sites = (after.sites.map(\.fingerprint) + gone.map(\.fingerprint)).map { fingerprint in
            let came = sums(new[fingerprint], after.image, without: known)
            let went = sums(old[fingerprint], before.image, without: still)
            return SiteGrowth(
                fingerprint: fingerprint, before: old[fingerprint], after: new[fingerprint],
                bytes: came.less(went, confidence: confidence))
        }
        .sorted { ($1.bytes.estimate, $0.fingerprint) < ($0.bytes.estimate, $1.fingerprint) }
        var (came, went) = (WeightedSum(), WeightedSum())
        for record in after.image.live where !known.contains(BlockIdentity(record)) { came.add(bytesOf: record) }
        for record in before.image.live where !still.contains(BlockIdentity(record)) { went.add(bytesOf: record) }
        total = came.less(went, confidence: confidence)
    }
}

/// How much more live memory a site has than before.
package struct SiteGrowth: Hashable, Sendable {
    package var fingerprint: Fingerprint
    /// nil when the site was not in that image.
    package var before: Site?
    package var after: Site?
    package var bytes: Estimate

    package var label: String { after?.label ?? before?.label ?? "" }

    /// Whether the interval leaves no doubt that it grew.
    package var isCertain: Bool { bytes.low > 0 }
}

/// A block from birth to death; a buffer that was reallocated counts as a new one, since its size has changed.
private struct BlockIdentity: Hashable {
    var address: UInt64
    var born: UInt64
    var size: UInt64
    var weight: Double

    init(_ record: AllocationRecord) {
        (address, born, size, weight) = (record.address, record.bornNanoseconds, record.size, record.weight)
    }
}
