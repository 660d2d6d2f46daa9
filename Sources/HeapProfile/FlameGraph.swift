/// The calls that lead to live memory, as a tree from the outermost function inwards: what a flame graph draws.
package struct FlameNode: Hashable, Sendable {
    package var function: String
    /// "file:line" in the largest site that comes through here; nil when there are no lines.
    package var place: String?
    package var role: FrameRole
    /// Live bytes allocated here and by everything called from here.
    package var bytes: Double
    /// Of them, allocated by this function itself.
    package var ownBytes: Double
    /// How much more than before; nil when nothing is compared.
    package var growthBytes: Double?
    /// By falling bytes (growth, where something is compared), then name.
    package var children: [FlameNode]

    package init(
        function: String, place: String?, role: FrameRole, bytes: Double, ownBytes: Double, growthBytes: Double?,
        children: [FlameNode]
    ) {
        self.function = function
        self.place = place
        self.role = role
        self.bytes = bytes
        self.ownBytes = ownBytes
        self.growthBytes = growthBytes
        self.children = children
    }
}

extension HeapProfile {
    /// The tree of live bytes; its root is named "all".
    ///
    /// A node below `smallestShare` of the whole is left out with all it calls; its bytes stay in its callers. The depth is
    /// that of the deepest stack.
    /// - Parameter before: an earlier profile to compare with. Functions that only it knows are there with no bytes.
    package func flameGraph(
        comparedTo before: HeapProfile? = nil, smallestShare: Double = 0.001, rules: FrameRules = FrameRules()
    ) -> FlameNode {
        var building = FlameBuilding(rules: rules)
        for stack in sites.lazy.flatMap(\.stacks) where stack.samples > 0 { building.add(stack, isBefore: false) }
        for stack in before?.sites.flatMap(\.stacks) ?? [] where stack.samples > 0 {
            building.add(stack, isBefore: true)
        }
        return building.tree(hasBefore: before != nil, smallestShare: smallestShare)
    }
}

/// Nodes in one array: stacks are at most some thousand frames deep, with inlined functions, so nothing recurses over
/// what a file says but the last step, which is bounded by `deepest`.
private struct FlameBuilding {
    private struct Node {
        var frame: Frame?
        var role = FrameRole.runtime
        var bytes = (now: 0.0, before: 0.0)
        var own = 0.0
        var children: [String: Int] = [:]
    }

    private var nodes = [Node()]
    private var roles: [Frame: FrameRole] = [:]
    private let rules: FrameRules
    /// Deeper stacks are cut at their outermost end.
    private static let deepest = 512

    init(rules: FrameRules) {
        self.rules = rules
    }

    mutating func add(_ stack: SiteStack, isBefore: Bool) {
        var node = 0
        count(stack.bytes, in: node, isBefore)
        for frame in stack.shown.prefix(Self.deepest).reversed() {
            if let known = nodes[node].children[frame.function] {
                node = known
            } else {
                nodes[node].children[frame.function] = nodes.count
                node = nodes.count
                nodes.append(Node(frame: frame, role: role(frame)))
            }
            count(stack.bytes, in: node, isBefore)
        }
        if !isBefore { nodes[node].own += stack.bytes }
    }

    private mutating func role(_ frame: Frame) -> FrameRole {
        if let known = roles[frame] { return known }
        let role = rules.role(of: frame)
        roles[frame] = role
        return role
    }

    private mutating func count(_ bytes: Double, in node: Int, _ isBefore: Bool) {
        if isBefore { nodes[node].bytes.before += bytes } else { nodes[node].bytes.now += bytes }
    }

    func tree(hasBefore: Bool, smallestShare: Double) -> FlameNode {
        let least = smallestShare * max(nodes[0].bytes.now, nodes[0].bytes.before)
        return node(0, hasBefore, least: least)
    }

    private func node(_ index: Int, _ hasBefore: Bool, least: Double) -> FlameNode {
        let node = nodes[index]
        let children = node.children.values.filter { max(nodes[$0].bytes.now, nodes[$0].bytes.before) >= least }
            .map { self.node($0, hasBefore, least: least) }
            .sorted {
                ($1.growthBytes ?? $1.bytes, $0.function) < ($0.growthBytes ?? $0.bytes, $1.function)
            }
        let file = node.frame?.file.flatMap(NamedFrame.fileName)
        return FlameNode(
            function: node.frame?.function ?? "all",
            place: file.map { file in node.frame?.line.map { "\(file):\($0)" } ?? file }, role: node.role,
            bytes: node.bytes.now, ownBytes: node.own,
            growthBytes: hasBefore ? node.bytes.now - node.bytes.before : nil, children: children)
    }
}
