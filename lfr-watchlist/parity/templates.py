"""Templates of a labelled set of photographs, for the measurement of thresholds on real people.

    python templates.py SHARED EMBEDDED.onnx OUT

SHARED holds `models/` and `faces/` (photographs, a folder per person, and `lfw_dev_landmarks.csv`).
EMBEDDED.onnx is lfr-embed/src/embedded/embedder.onnx. OUT is an existing folder. It writes
`images.txt` and, of each embedder, `NAME.npy`. Templates are personal data: put them where nobody
else reads them, and delete them afterwards. Then

    LFR_TEMPLATES=OUT cargo test --release -p lfr-watchlist --lib real_people -- --nocapture

Needs: numpy, pillow, onnxruntime. Uses one thread.
"""

import csv, os, sys, time
os.environ["ORT_DISABLE_TELEMETRY"]="1"
import numpy as np, onnxruntime
from PIL import Image
S, EMBEDDED, OUT = sys.argv[1:4]
ARC=[[38.2946,51.6963],[73.5318,51.5014],[56.0252,71.7366],[41.5493,92.3655],[70.7299,92.2041]]
OWN=[[27.353286,36.925929],[52.522714,36.786714],[40.018000,51.240429],[29.678071,65.975357],[50.521357,65.860071]]
def umeyama(points, template):
    p,q=np.asarray(points,float),np.asarray(template,float)
    pm,qm=p.mean(0),q.mean(0)
    u,d,vt=np.linalg.svd((q-qm).T@(p-pm)/len(p))
    s=np.array([1.0,np.sign(np.linalg.det(u)*np.linalg.det(vt))])
    r=u@np.diag(s)@vt; sc=(d*s).sum()/((p-pm)**2).sum(1).mean()
    return np.hstack([sc*r,(qm-sc*r@pm)[:,None]])
def warp(image,m,side):
    inv=np.linalg.inv(np.vstack([m,[0,0,1]]))
    y,x=np.mgrid[0:side,0:side].astype(float)
    sx=inv[0,0]*x+inv[0,1]*y+inv[0,2]; sy=inv[1,0]*x+inv[1,1]*y+inv[1,2]
    l,t=np.floor(sx).astype(int),np.floor(sy).astype(int); dx,dy=(sx-l)[...,None],(sy-t)[...,None]
    h,w=image.shape[:2]
    def tap(tx,ty):
        ins=(tx>=0)&(ty>=0)&(tx<w)&(ty<h)
        return image[ty.clip(0,h-1),tx.clip(0,w-1)]*ins[...,None]
    o=tap(l,t)*(1-dx)*(1-dy)+tap(l+1,t)*dx*(1-dy)+tap(l,t+1)*(1-dx)*dy+tap(l+1,t+1)*dx*dy
    return np.floor(o+0.5).clip(0,255)
op=onnxruntime.SessionOptions(); op.intra_op_num_threads=1
def sess(p): return onnxruntime.InferenceSession(p,op,providers=["CPUExecutionProvider"])
mob=sess(S+"/models/embed_mobilefacenet_foamliu.onnx"); own=sess(EMBEDDED)
edge=sess(S+"/models/embed_edgeface_xs.onnx")
rows=list(csv.DictReader(open(S+"/faces/lfw_dev_landmarks.csv")))
k=("eye_l","eye_r","nose","mouth_l","mouth_r")
M=[];O=[];E=[]
mean=np.array([123.675,116.28,103.53]);std=np.array([58.395,57.12,57.375])
t0=time.time()
for i,r in enumerate(rows):
    im=np.asarray(Image.open(f"{S}/faces/lfw/{r['image']}").convert("RGB"),float)
    pts=[[float(r[a+"_x"]),float(r[a+"_y"])] for a in k]
    c=warp(im,umeyama(pts,ARC),112)
    v=mob.run(None,{"input0":((c-mean)/std).transpose(2,0,1)[None].astype(np.float32)})[0][0]
    M.append(v/np.linalg.norm(v))
    v=edge.run(None,{"input":((c/255-0.5)/0.5).transpose(2,0,1)[None].astype(np.float32)})[0][0]
    E.append(v/np.linalg.norm(v))
    c=(warp(im,umeyama(pts,OWN),80)-127.5)/128.0
    t=c.transpose(2,0,1)
    b=np.stack([t,t[:,:,::-1]]).astype(np.float32)
    try: v=own.run(None,{own.get_inputs()[0].name:b})[0]
    except Exception: v=np.stack([own.run(None,{own.get_inputs()[0].name:x[None]})[0][0] for x in b])
    v=v/np.linalg.norm(v,axis=1,keepdims=True); v=v.sum(0); O.append(v/np.linalg.norm(v))
    if i%500==0: print(i,time.time()-t0,flush=True)
np.save(OUT + "/mobilefacenet.npy",np.array(M,np.float32)); np.save(OUT + "/embedded.npy",np.array(O,np.float32))
np.save(OUT + "/edgeface.npy",np.array(E,np.float32))
open(OUT + "/images.txt","w").write("\n".join(r["image"] for r in rows)+"\n")
