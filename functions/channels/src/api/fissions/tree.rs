//! Who brought whom in a campaign: the way it took, and who brings others, by person and depth.

use super::super::ChannelsRead;
use super::seen;
use crate::State as Shared;
use crate::fission::Tree;
use crate::ratio;
use crate::store::fission::tree;
use axum::Json;
use axum::extract::State;
use domain::FissionId;
use kit::auth::Caller;
use kit::extract::{Path, Query};
use kit::page::{self, Page, PageQuery};
use kit::{Cx, Problem, Tx};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How many participants, and how many friends, a tree is made of at the most.
const MOST: u32 = 100_000;
/// How much of a way is shown.
const LONGEST_PATH: usize = 50;

/// The tree of a campaign.
#[derive(Debug, Serialize, ToSchema)]
pub struct TreeView {
    /// Everybody by depth, the first inviters first.
    depths: Vec<DepthView>,
    /// Everybody, by depth, then by name: one page.
    nodes: Page<NodeView>,
    /// Whether the campaign has grown over 100,000 participants or helps, and the tree is made of the first ones.
    cut: bool,
}

/// Everybody at one depth.
#[derive(Debug, Serialize, ToSchema)]
struct DepthView {
    /// How far below the first inviters: 0 for those.
    depth: u32,
    /// How many there are.
    people: u32,
    /// How many of them have brought at least one.
    inviters: u32,
    /// How many they have brought together, those who have left since among them.
    friends: u32,
    /// The share of those who have brought at least one, 0 to 1 with four decimals.
    conversion: String,
}

/// One person of a campaign.
#[derive(Debug, Serialize, ToSchema)]
struct NodeView {
    /// The participant's id; of a friend who does not take part, `kind:scope:value` of the identity.
    who: String,
    /// From the first inviter to this one; the last 50.
    path: Vec<String>,
    /// How far below the first inviter: 0 for that one.
    depth: u32,
    /// How many this one has brought, those who have left since among them.
    friends: u32,
    /// How many this one, those brought, and those whom they brought, have brought together.
    below: u32,
    /// How many helps of this one count now.
    helps: i64,
    /// The share of this one's friends who have brought at least one themselves, 0 to 1 with four decimals.
    conversion: String,
}

/// A place in the list of nodes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Mark {
    depth: u32,
    who: String,
}

/// The tree of a campaign: how many there are at each depth and how many of them bring others; the people themselves, a page of them.
#[utoipa::path(get, path = "/v1/fissions/{id}/tree", params(("id" = FissionId, Path, description = "The campaign"), PageQuery),
    security(("token" = ["channels:read"])), responses(
    (status = 200, description = "The tree", body = TreeView),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such campaign among those that the caller may see", body = Problem),
))]
pub async fn show(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Path(id): Path<FissionId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<TreeView>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<Mark>(query.cursor.as_deref())?;
    let read = |tx: &Tx<'_>| {
        seen(tx, &caller, id)?;
        caller.for_no_staff("participants")?;
        Ok::<_, Problem>((tree::participants(tx, id, MOST)?, tree::pairs(tx, id, MOST)?))
    };
    let (participants, pairs) = shared.app.db().read(&cx, read).await?;
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let cut = participants.len() >= most || pairs.len() >= most;
    let mut tree = Tree::new(pairs.iter().map(|(inviter, friend)| (inviter.as_str(), friend.as_str())));
    participants.iter().for_each(|(who, _)| tree.begin(who));
    let helps: BTreeMap<String, i64> = participants.into_iter().collect();
    Ok(Json(TreeView { depths: depths(&tree), nodes: nodes(&tree, &helps, after.as_ref(), limit), cut }))
}

fn depths(tree: &Tree) -> Vec<DepthView> {
    let view = |one: crate::fission::DepthReport| DepthView {
        depth: one.depth,
        people: one.people,
        inviters: one.inviters,
        friends: one.friends,
        conversion: one.conversion(),
    };
    tree.depths().into_iter().map(view).collect()
}

fn nodes(tree: &Tree, helps: &BTreeMap<String, i64>, after: Option<&Mark>, limit: u32) -> Page<NodeView> {
    let all = tree.nodes();
    let mut inviters = BTreeMap::<String, u32>::new();
    for node in all.iter().filter(|node| node.friends > 0) {
        if let Some(inviter) = tree.ancestors(&node.who).next() {
            *inviters.entry(inviter.to_owned()).or_default() += 1;
        }
    }
    let mark = |depth: u32, who: &str| Mark { depth, who: who.to_owned() };
    let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    let later = all.into_iter().filter(|node| after.is_none_or(|after| mark(node.depth, &node.who) > *after));
    let views = later.take(most).map(|node| {
        let path = tree.path(&node.who);
        let path = path.get(path.len().saturating_sub(LONGEST_PATH)..).unwrap_or_default();
        let inviters = inviters.get(&node.who).copied().unwrap_or(0);
        NodeView {
            path: path.iter().map(|who| (*who).to_owned()).collect(),
            depth: node.depth,
            friends: node.friends,
            below: node.below,
            helps: helps.get(&node.who).copied().unwrap_or(0),
            conversion: ratio::share(inviters, node.friends),
            who: node.who,
        }
    });
    Page::new(views.collect(), limit, |node| mark(node.depth, &node.who))
}
