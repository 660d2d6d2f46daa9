package import HeapProfile
package import OakumModel

/// What a living process told about its sampled blocks, kept for when it is dead: the types of the blocks, and why the
/// sites' blocks are alive. Saved next to the sampler's file.
///
/// Bounded by the sampled blocks, and by `chainLimit` chains a site. Types and names of variables only, never values.
package struct TypeSnapshot: Hashable, Sendable, Codable {
    /// The chain that most of a site's examined blocks have.
    package struct SiteChain: Hashable, Sendable, Codable {
        package var chain: HolderChain
        /// So many of the examined blocks have it.
        package var blocks: Int
        package var examined: Int

        package init(chain: HolderChain, blocks: Int, examined: Int) {
            self.chain = chain
            self.blocks = blocks
            self.examined = examined
        }
    }

    private struct Typed: Hashable, Sendable, Codable {
        var address: UInt64
        var bornNanoseconds: UInt64
        /// Index into `names`.
        var name: Int
    }

    package static let chainLimit = 4
    package var process: ProcessIdentity
    package var observed: Uptime
    private var names: [String] = []
    private var blocks: [Typed] = []
    /// By the site's fingerprint, the most frequent chain first.
    package var chains: [String: [SiteChain]] = [:]
    package var remarks: [String] = []

    package init(process: ProcessIdentity, observed: Uptime) {
        self.process = process
        self.observed = observed
    }

    /// Keeps the types of an image's blocks, by address.
    package mutating func record(_ types: [UInt64: String], of image: HeapImage) {
        var indices: [String: Int] = [:]
        names = []
        blocks = []
        for record in image.live {
            guard let name = types[record.address] else { continue }
            let index = indices[name] ?? names.count
            if index == names.count {
                names.append(name)
                indices[name] = index
            }
            blocks.append(Typed(address: record.address, bornNanoseconds: record.bornNanoseconds, name: index))
        }
    }

    /// The types of those blocks of an image that were alive at the time of the snapshot too: an address alone may mean
    /// another block by now, an address with a birth does not. Empty for another process's image.
    package func types(of image: HeapImage) -> [UInt64: String] {
        guard image.process.identity == process else { return [:] }
        let births = Dictionary(blocks.map { ($0.address, $0) }) { first, _ in first }
        var result: [UInt64: String] = [:]
        for record in image.live {
            guard let known = births[record.address], known.bornNanoseconds == record.bornNanoseconds,
                names.indices.contains(known.name)
            else { continue }
            result[record.address] = names[known.name]
        }
        return result
    }

    /// How many blocks have a type.
    package var typedBlocks: Int { blocks.count }
}
