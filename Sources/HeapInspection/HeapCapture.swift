package import HeapProfile
import OakumModel

/// A heap, looked at once: its sites with names and types, and why the largest ones' blocks are alive.
package struct HeapCapture: Sendable {
    package var profile: HeapProfile
    /// The functions at each return address that was looked up, innermost inlined one first.
    package var frames: [UInt64: [Frame]]
    /// Types and chains, to be kept for when the process is dead.
    package var snapshot: TypeSnapshot
    /// What is missing and why, one sentence each.
    package var remarks: [String] = []
    package var seconds: Double = 0

    /// The chains of a site, the most frequent first.
    package func chains(of site: Site) -> [TypeSnapshot.SiteChain] {
        snapshot.chains[site.fingerprint.text] ?? []
    }

    /// The same heap at an earlier moment, with the names of this one; nil when it is another heap's.
    package func profile(of base: HeapBase) -> HeapProfile? {
        base.image(before: profile.image).map { HeapProfile($0, frames: frames) }
    }

    /// Bounds of a capture.
    package struct Limits: Hashable, Sendable {
        /// Of all of it. What is not done by then is left out, and a remark says so.
        package var time: Duration = .seconds(10)
        /// Sites whose holders are looked for: those that leak first, then the largest.
        package var sites = 6
        /// Look for nothing else while anything leaks: an answer is wanted soon.
        package var leaksOnly = false
        /// Blocks of each site that are looked at.
        package var blocksPerSite = 8
        /// Blocks whose types are read.
        package var typedBlocks = 1 << 20
        package var holders = HolderLimits()

        package init() {}
    }

    /// Looks at a process that the sampler is loaded into, or at what it left.
    ///
    /// The process runs on meanwhile. At most `limits.time`, a few seconds more when a system call hangs; memory is that
    /// of the image, about 64 MiB for the graph of holders, and what the symbols need in a process of their own (at most
    /// 1 GiB, for as long as they are read).
    /// - Parameters:
    ///   - isAlive: read types and holders out of the process too. When it turns out to be dead or closed to us, the
    ///     profile comes without, or with those of `earlier`, and a remark tells.
    ///   - earlier: a snapshot from when it lived.
    ///   - heapFile: path of the image, as the process may have mapped it: no holder of anything.
    package static func capture(
        _ image: HeapImage, isAlive: Bool, earlier: TypeSnapshot? = nil, heapFile: String? = nil,
        debugFolders: [String] = [], limits: Limits = Limits()
    ) -> HeapCapture {
        let clock = ContinuousClock()
        let begin = clock.now
        let deadline = begin + limits.time
        var remarks: [String] = []
        var inspector: ProcessInspector?
        if isAlive {
            do throws(InspectionError) {
                inspector = try ProcessInspector(
                    image.process.identity,
                    known: image.live.map { BlockTarget(address: $0.address, bytes: max(1, $0.size)) },
                    leavingOut: heapFile.map { [$0] } ?? [])
            } catch {
                remarks.append("no types and holders: \(error)")
            }
        }
        inspector?.debugFolders = debugFolders
        var types = earlier?.types(of: image) ?? [:]
        if let inspector { types.merge(inspector.types(image, limits.typedBlocks, deadline, &remarks)) { $1 } }
        // A third of the time for names: chains need names too, and a profile without chains is still one.
        let symboliser = Symboliser(
            modules: image.modules.filter { $0.unloadedNanoseconds == nil }.map(Symboliser.Module.init),
            pid: inspector == nil ? nil : image.process.identity.pid, debugFolders: debugFolders)
        let used = Set(image.live.map(\.stack)).union(image.freed.map(\.stack))
        let addresses = used.reduce(into: Set<UInt64>()) { set, stack in
            if image.stacks.indices.contains(stack) { set.formUnion(image.stacks[stack].addresses) }
        }
        let names = symboliser.names(returnAddresses: addresses, deadline: begin + limits.time / 2)
        remarks += names.remarks
        if let remark = strippedRemark(image, addresses, names) { remarks.append(remark) }
        let profile = HeapProfile(image, frames: names.frames, types: types)
        var snapshot = TypeSnapshot(process: image.process.identity, observed: image.observed)
        snapshot.record(types, of: image)
        snapshot.chains = earlier?.process == image.process.identity ? earlier?.chains ?? [:] : [:]
        if let inspector {
            let chains = inspector.chains(of: profile, limits, deadline, &remarks)
            // A search that ended too soon says less than an earlier one that did not.
            snapshot.chains.merge(chains) { old, new in
                if case .unknown? = new.first?.chain.root, !old.isEmpty { old } else { new }
            }
        }
        snapshot.remarks = remarks
        let spent = begin.duration(to: clock.now).components
        return HeapCapture(
            profile: profile, frames: names.frames, snapshot: snapshot, remarks: remarks,
            seconds: Double(spent.seconds) + Double(spent.attoseconds) / 1e18)
    }
}

extension HeapCapture {
    /// Nothing of the program itself has a name: what to do about it.
    private static func strippedRemark(
        _ image: HeapImage, _ addresses: Set<UInt64>, _ names: Symboliser.Result
    ) -> String? {
        guard let program = image.modules.first(where: { $0.path == image.process.executable }) else { return nil }
        let own = addresses.filter { $0 > 0 && program.addresses.contains($0 - 1) }
        guard !own.isEmpty, own.allSatisfy({ names.frames[$0] == nil }) else { return nil }
        return
            "\(program.path) has no symbols, so its functions have no names: keep an unstripped copy of it, or its debug file, "
            + "and name the folder (`--symbols FOLDER`, or `symbols: [FOLDER]` under `heap:` in oakum.yaml)"
    }
}

extension ProcessInspector {
    /// Types of an image's live blocks. A block that was freed or changed meanwhile has none, or none that is wrong for
    /// long: the next capture reads it anew.
    fileprivate func types(
        _ image: HeapImage, _ limit: Int, _ deadline: ContinuousClock.Instant, _ remarks: inout [String]
    ) -> [UInt64: String] {
        var result: [UInt64: String] = [:]
        for (count, record) in image.live.prefix(limit).enumerated() {
            if count % 256 == 0, ContinuousClock.now >= deadline {
                remarks.append("the time for types was over after \(count) of \(image.live.count) blocks")
                break
            }
            if let type = type(at: record.address, bytes: record.size) { result[record.address] = type.name }
        }
        return result
    }

    /// The chains of the sites that matter: blocks are taken from the whole range of ages, so that one that is just in
    /// use does not speak for all.
    fileprivate func chains(
        of profile: HeapProfile, _ limits: HeapCapture.Limits, _ deadline: ContinuousClock.Instant,
        _ remarks: inout [String]
    ) -> [String: [TypeSnapshot.SiteChain]] {
        let ranked = profile.sites.enumerated().sorted { left, right in
            let (a, b) = (left.element.verdict.code == .leaks ? 0 : 1, right.element.verdict.code == .leaks ? 0 : 1)
            return (a, left.offset) < (b, right.offset)
        }
        var owners: [String] = []
        var targets: [BlockTarget] = []
        let isLeaking = limits.leaksOnly && ranked.first?.element.verdict.code == .leaks
        let chosen = isLeaking ? ranked.filter { $0.element.verdict.code == .leaks } : ranked
        for (_, site) in chosen.prefix(limits.sites) where !site.records.isEmpty {
            let count = min(limits.blocksPerSite, site.records.count, max(0, 64 - targets.count))
            for index in 0..<count {
                let record = profile.image.live[site.records[index * site.records.count / count]]
                targets.append(BlockTarget(address: record.address, bytes: max(1, record.size)))
                owners.append(site.fingerprint.text)
            }
        }
        guard !targets.isEmpty else { return [:] }
        let found = heldChains(of: targets, limits, deadline, &remarks)
        var chains: [String: [HolderChain]] = [:]
        for (owner, chain) in zip(owners, found) { chains[owner, default: []].append(chain) }
        return chains.mapValues(Self.vote)
    }

    /// Looked for once more where nothing seemed to refer to the last block, if there is time for it: a container that grows
    /// moves its storage, and when that happens between two passes the old one is seen, which nobody holds any more.
    private func heldChains(
        of targets: [BlockTarget], _ limits: HeapCapture.Limits, _ deadline: ContinuousClock.Instant,
        _ remarks: inout [String]
    ) -> [HolderChain] {
        let begin = ContinuousClock.now
        let report = holders(of: targets, limits: limits.holders, deadline: deadline)
        remarks += report.remarks.filter { !remarks.contains($0) }
        var chains = report.chains
        let lost = chains.indices.filter { chains[$0].root == .unreferenced && targets.indices.contains($0) }
        guard !lost.isEmpty, ContinuousClock.now.duration(to: deadline) > begin.duration(to: .now) else {
            return chains
        }
        let again = holders(of: lost.map { targets[$0] }, limits: limits.holders, deadline: deadline)
        for (index, chain) in zip(lost, again.chains) {
            switch chain.root {
            case .unreferenced, .unknown: break
            default: chains[index] = chain
            }
        }
        return chains
    }

    /// Chains that differ only in offsets and in the numbers of tasks are one.
    static func vote(_ chains: [HolderChain]) -> [TypeSnapshot.SiteChain] {
        var groups: [[String]: [HolderChain]] = [:]
        for chain in chains { groups[chain.likeness, default: []].append(chain) }
        return groups.values.sorted { left, right in
            (-left.count, left[0].hops.count, left[0].words) < (-right.count, right[0].hops.count, right[0].words)
        }
        .prefix(TypeSnapshot.chainLimit)
        .map { TypeSnapshot.SiteChain(chain: $0[0], blocks: $0.count, examined: chains.count) }
    }
}

extension HolderChain {
    /// Equal for chains that say the same.
    fileprivate var likeness: [String] {
        path.map { String($0.filter { !$0.isNumber }) }
    }
}
